use std::time::Duration;

use moka::notification::RemovalCause;
use strata_report::Cause;

use super::what_if::Lifetimes;

/// How much a cache records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recording {
    /// Everything: the default, and cheap enough to leave on.
    #[default]
    Everything,
    /// Only counts and latencies: no hot keys, no what-if curve, no events.
    Counts,
}

/// The facts about a cache that its recorder needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecorderSettings {
    /// In entries, or in bytes if entries are weighed.
    pub(crate) capacity: u64,
    pub(crate) lifetimes: Lifetimes,
    /// One missed key in this many is recorded.
    pub(crate) misses_sampled_one_in: u32,
}

/// The size and the limits of L1.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct L1Size {
    pub(crate) entries: u64,
    pub(crate) entries_max: Option<u64>,
    pub(crate) weight_bytes: Option<u64>,
    pub(crate) weight_max_bytes: Option<u64>,
}

/// How an entry left L1.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Removal {
    pub(crate) cause: Cause,
    /// The time since its fill, if known.
    pub(crate) age: Option<Duration>,
    pub(crate) weight: u32,
}

impl Removal {
    /// An entry that is evicted for size this soon counts as never admitted. Upkeep runs every 250
    /// ms, so an admitted entry that is displaced at once may be counted as refused. This is an
    /// estimate.
    const REFUSED_WITHIN: Duration = Duration::from_millis(300);

    pub(crate) fn new(cause: RemovalCause, age: Option<Duration>, weight: u32) -> Self {
        let cause = match cause {
            RemovalCause::Expired => Cause::Expired,
            RemovalCause::Explicit => Cause::Explicit,
            RemovalCause::Replaced => Cause::Replaced,
            RemovalCause::Size if age.is_some_and(|age| age < Self::REFUSED_WITHIN) => {
                Cause::Refused
            }
            RemovalCause::Size => Cause::Size,
        };
        Self { cause, age, weight }
    }
}

/// Whether a load succeeded; "not found" is a success.
#[derive(Clone, Copy)]
pub(crate) enum LoadEnded {
    Answered,
    Failed,
}
