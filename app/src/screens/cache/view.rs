use strata_report::{CacheDetails, RangeHistory};

use crate::screens::chart::TimeAxis;

/// What the cards of a cache's page are drawn from.
pub(super) struct CacheView<'a> {
    /// The cache's name.
    pub(super) cache: &'a str,
    /// Its numbers now.
    pub(super) details: &'a CacheDetails,
    /// Its numbers over time.
    pub(super) past: &'a RangeHistory,
    /// The time axis of its charts.
    pub(super) time: TimeAxis<'a>,
}
