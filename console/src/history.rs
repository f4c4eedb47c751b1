use std::time::Duration;

use strata_report::{History, Point};

use crate::ring::Ring;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// How far back the charts go.
const CHART: Duration = Duration::from_secs(300);

/// The past of one cache, or of all together, in three resolutions.
#[derive(Debug)]
pub(crate) struct Past {
    seconds: Ring,
    tens: Ring,
    minutes: Ring,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            // A tick is seldom exactly a second. Steps as short as the clock's own keep each one.
            seconds: Ring::new(Duration::from_millis(1), 15 * MINUTE),
            tens: Ring::new(10 * SECOND, 2 * HOUR),
            minutes: Ring::new(MINUTE, 24 * HOUR),
        }
    }
}

impl Past {
    pub(crate) fn push(&mut self, point: &Point) {
        for ring in [&mut self.seconds, &mut self.tens, &mut self.minutes] {
            ring.push(point);
        }
    }

    /// What the charts show.
    pub(crate) fn chart(&self) -> History {
        self.newest(CHART)
    }

    /// The newest `span`, as fine as it was kept.
    fn newest(&self, span: Duration) -> History {
        let (step_ms, ring) = if span <= 15 * MINUTE {
            (1_000, &self.seconds)
        } else if span <= 2 * HOUR {
            (10_000, &self.tens)
        } else {
            (60_000, &self.minutes)
        };
        History { step_ms, points: ring.newest(span) }
    }
}

#[cfg(test)]
mod tests {
    use strata_report::Outcomes;

    use super::*;

    #[test]
    fn a_longer_span_comes_in_coarser_steps_that_add_up_to_the_same() {
        let mut past = Past::default();
        for i in 1..=900 {
            let outcomes = Outcomes { loaded: 2, ..Outcomes::default() };
            past.push(&Point { at_ms: i * 1_000, span_ms: 1_000, outcomes, ..Point::default() });
        }
        for (span, step_ms, steps) in
            [(15 * MINUTE, 1_000, 900), (HOUR, 10_000, 90), (24 * HOUR, 60_000, 15)]
        {
            let history = past.newest(span);
            assert_eq!((history.step_ms, history.points.len()), (step_ms, steps));
            let loaded: u64 = history.points.iter().map(|point| point.outcomes.loaded).sum();
            assert_eq!(loaded, 1_800);
        }
        assert_eq!(past.chart().points.len(), 300);
    }

    #[test]
    fn ticks_that_are_a_little_early_or_late_stay_apart() {
        let mut past = Past::default();
        for at_ms in [1_001, 2_000, 3_003] {
            past.push(&Point { at_ms, span_ms: 1_000, ..Point::default() });
        }
        assert_eq!(past.chart().points.len(), 3);
    }
}
