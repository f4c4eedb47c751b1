use serde::{Deserialize, Serialize};

use crate::{CacheReport, Histogram, Outcomes, Window};

/// How much of the source's time the hits saved: a range, never a point.
///
/// Method: hits on either level times the duration of a load, once with the duration that a
/// quarter of the loads stayed below and once with the one that three quarters did. It takes for
/// granted that the keys that hit would have cost what the keys that missed did cost. Coalesced
/// reads are no hits, what a hit itself costs is not taken off, and a load of many keys counts
/// with its whole duration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Saved {
    /// Hits times the 25th percentile of a load, milliseconds.
    pub low_ms: u64,
    /// Hits times the 75th percentile of a load, milliseconds.
    pub high_ms: u64,
    /// Hits on either level.
    pub hits: u64,
    /// Loads that the duration was taken from.
    pub loads: u64,
}

impl Saved {
    /// What hits saved where loads took so long; `None` without a load.
    pub fn of(outcomes: &Outcomes, loads: &Histogram) -> Option<Self> {
        let hits = outcomes.l1_hit + outcomes.l2_hit;
        let ms = |q: f64| Some((hits as f64 * loads.quantile_ns(q)? as f64 / 1e6) as u64);
        Some(Self { low_ms: ms(0.25)?, high_ms: ms(0.75)?, hits, loads: loads.count() })
    }
}

impl CacheReport {
    /// The time of the source that hits saved since the nodes started; `None` before the first
    /// load.
    pub fn saved(&self) -> Option<Saved> {
        Saved::of(&self.outcomes, &self.loads.success)
    }
}

impl Window {
    /// The time of the source that hits saved in this window; `None` without a load in it.
    pub fn saved(&self) -> Option<Saved> {
        Saved::of(&self.outcomes, &self.load_latency)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn hits_times_the_time_of_a_load_is_a_range() {
        let outcomes = Outcomes { l1_hit: 900, l2_hit: 100, coalesced: 50, ..Outcomes::default() };
        assert_eq!(Saved::of(&outcomes, &Histogram::default()), None, "no load, no figure");
        let mut loads = Histogram::default();
        (1..=100).for_each(|ms| loads.record(Duration::from_millis(ms)));
        let saved = Saved::of(&outcomes, &loads).unwrap();
        assert_eq!((saved.hits, saved.loads), (1_000, 100));
        assert!((20_000..=30_000).contains(&saved.low_ms), "{saved:?}");
        assert!((70_000..=80_000).contains(&saved.high_ms), "{saved:?}");
    }
}
