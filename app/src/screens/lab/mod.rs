//! The lab: the tour of the lessons, a page for each lesson, comparisons and measurements. A card
//! is a pure function of the lesson and of a snapshot of its run.

mod compare;
mod lesson;
mod measured;
mod run;
mod settings_fields;
mod tour;

pub(crate) use compare::compare;
pub(crate) use lesson::lesson;
pub(crate) use measured::measured;
pub(crate) use tour::tour;
