//! What happened over a range, for charts.

mod past;
mod points;
mod range;

pub use past::{HeatColumn, Marker, Past, Quantiles, Step};
pub use points::{History, Point};
pub use range::{Range, RangeError};
