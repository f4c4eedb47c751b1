//! What every run shows, of a lesson or of a comparison: where its reads were answered, its steps
//! with their traces, and the table of results.

mod contenders;
mod outcome_layers;
mod request_traces;
mod result_table;
mod steps;

pub(super) use contenders::{ContenderCard, contenders};
pub(super) use outcome_layers::layers;
pub(super) use result_table::table;
pub(super) use steps::list;
