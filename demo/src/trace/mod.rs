//! Recorded requests, replayed line by line through the `objects` cache.

mod lines;
mod replay;
mod totals;

pub use replay::{TraceError, replay};
pub use totals::{End, Totals};
