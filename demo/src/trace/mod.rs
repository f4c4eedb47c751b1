//! Recorded requests: replayed line by line through the `objects` cache, or kept on a store for the
//! lab.

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
