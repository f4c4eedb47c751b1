//! Recorded requests: replayed line by line through the `objects` cache, or kept on a shelf for the
//! lab.

mod curve;
mod generated;
mod lines;
mod lru;
mod recording;
mod replay;
mod shelf;
mod totals;

pub use curve::{Curve, CurvePoint};
pub use recording::{Recording, RecordingError};
pub use replay::{TraceError, replay};
pub use shelf::{CurveState, Listed, Shelf, Shelved};
pub use totals::{End, Totals};
