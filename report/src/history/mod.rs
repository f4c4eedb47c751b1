//! What happened over a range, for charts.

mod points;
mod range;
mod range_history;

pub use points::{History, Point};
pub use range::{Range, RangeError};
pub use range_history::{HeatColumn, Marker, Quantiles, RangeHistory, Step};
