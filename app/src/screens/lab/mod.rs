//! The lab: the tour of the lessons, and a page for each. Each card is a pure function of the
//! lesson and of what was seen of its run.

mod again;
mod answered;
mod code;
mod colour;
mod columns;
mod contenders;
mod controls;
mod faults;
mod lesson;
mod predict;
mod results;
mod stack;
mod steer;
mod steps;
mod tour;
mod verdict;

pub(super) use lesson::lesson;
pub(super) use tour::tour;
