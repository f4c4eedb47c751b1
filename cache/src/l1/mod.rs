//! L1: moka in the process, the form of its entries, and why entries leave or no longer count.
//! Invalidated tags and patterns are remembered here, so that reads can compare entries with them.

mod entry;
mod level;
mod listing;
pub(crate) mod slices;
mod sweep;
mod tags;
mod waiting_patterns;

pub(crate) use entry::{Entry, L1Value};
pub(crate) use level::{Capacity, L1};
pub use listing::L1List;
pub(crate) use listing::{FirstRows, count_in_survey};
pub(crate) use slices::{Slices, WalkStats};
pub use strata_report::L1Survey;
pub(crate) use tags::{TagState, Tags};
pub(crate) use waiting_patterns::{TooMany, WaitingPatterns};
