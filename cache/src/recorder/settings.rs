use std::time::Duration;

use moka::notification::RemovalCause;
use strata_report::Cause;

use super::what_if::Lifetimes;

/// How much a cache records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recording {
    /// All there is: the default, and cheap enough to leave on.
    #[default]
    Everything,
    /// Counts and latencies: no hot keys, no what-if curve, no events.
    Counts,
}

/// What the recorder must know of its cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecorderSettings {
    /// Entries, or bytes where they are weighed.
    pub(crate) capacity: u64,
    pub(crate) lifetimes: Lifetimes,
    /// One missed key in so many is looked at.
    pub(crate) misses_sampled_one_in: u32,
}

/// What L1 holds and may hold.
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
    /// Since its fill, where that is known.
    pub(crate) age: Option<Duration>,
    pub(crate) weight: u32,
}

impl Removal {
    /// An entry that leaves for size this soon was never admitted. Upkeep runs every 250 ms, so
    /// an admitted entry that is displaced at once may be counted as refused: an estimate.
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

/// Whether a load answered; "not found" is an answer.
#[derive(Clone, Copy)]
pub(crate) enum LoadEnded {
    Answered,
    Failed,
}
