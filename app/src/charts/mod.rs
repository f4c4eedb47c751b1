//! Hand-made SVG charts. Geometry is pure and tested; components only place it.

mod legend;
mod log_axis;
mod ridge;
mod scale;
mod spark;
mod stack;
mod stacked;
mod table;

pub(crate) use legend::Legend;
pub(crate) use log_axis::LogAxis;
pub(crate) use ridge::{Ridge, ridge_path, ridge_x};
#[cfg(feature = "ssr")]
pub(crate) use scale::Axis;
pub(crate) use spark::{Spark, spark_path};
pub(crate) use stack::{at_cursor, stack};
pub(crate) use stacked::{Band, Stacked};
pub(crate) use table::{Table, table_rows};
