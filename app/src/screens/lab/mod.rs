//! The lab: the tour of the lessons, a page for each, comparisons and measurements. Each card is a pure function of the
//! lesson and of what was seen of its run.

mod again;
mod answered;
mod causes;
mod code;
mod colour;
mod columns;
mod compare;
mod contenders;
mod controls;
mod faults;
mod lesson;
mod measured;
mod predict;
mod results;
mod stack;
mod steer;
mod steps;
mod tour;
mod verdict;

pub(super) use compare::compare;
pub(super) use lesson::lesson;
pub(super) use measured::measured;
pub(super) use tour::tour;
