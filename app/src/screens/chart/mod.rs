//! Charts of the pages that the server draws. Geometry is pure and tested; views only place it.

mod columns;
mod heat;
mod sizes;
mod stacked;
mod time;

pub(super) use columns::columns;
pub(super) use heat::{HeatContent, HeatMap};
pub(super) use sizes::{Bucket, Buckets, Unit, filled};
pub(super) use stacked::{Stack, stacked};
pub(super) use time::{TimeAxis, operator_action};
