//! Recorded requests. `replay` sends them through the `objects` cache, line by line;
//! [`TraceStore`] keeps them in memory for the lab.

mod curve;
mod generated;
mod lines;
mod lru;
mod recording;
mod replay;
mod store;
mod totals;

pub use curve::{Curve, CurvePoint};
pub use recording::{Recording, RecordingError};
pub use replay::{TraceError, replay};
pub use store::{CurveState, StoredTrace, TraceStore, TraceSummary};
pub use totals::{End, Totals};
