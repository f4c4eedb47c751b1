//! What a read costs on each level of this machine.
//! [`MeasurementState`] is the newest table and how far the next one has come.

mod bench;
mod measurement;

pub(crate) use bench::Bench;
pub(crate) use measurement::Measurement;
pub use measurement::{MeasuredRow, MeasuredTable, MeasurementState, Speed};
