//! The page of one lesson: its idea, the prediction, the run, the results, and the code that runs.

mod code;
mod contenders;
mod faults;
mod highlight;
mod page;
mod predict;
mod results;
mod run_controls;
mod stack;
mod verdict;
mod view;

pub(crate) use page::lesson;
pub(super) use page::ticket;
