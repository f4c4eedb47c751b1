//! The lab: the tour of the lessons, a page for each lesson, comparisons and measurements. A card
//! is a pure function of the lesson and of a snapshot of its run.

mod compare;
mod lesson;
mod measured;
mod run;
mod settings_fields;
mod tour;

pub(super) use compare::compare;
pub(super) use lesson::lesson;
pub(super) use measured::measured;
pub(super) use tour::tour;
