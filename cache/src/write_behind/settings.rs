use std::time::Duration;

use crate::clock::MAX_TIME_TO_LIVE;
use crate::error::BuildError;

/// The times and limits of a write-behind.
#[derive(Clone, Debug)]
pub(super) struct FlushSettings {
    pub(super) capacity: usize,
    pub(super) max_batch: usize,
    pub(super) interval: Duration,
    pub(super) tries: u32,
    pub(super) first_pause: Duration,
    pub(super) longest_pause: Duration,
    pub(super) sink_timeout: Duration,
    pub(super) claim_after: Duration,
}

impl FlushSettings {
    /// Limits a time so that it can be waited for, and no task spins.
    pub(super) fn within_reach(time: Duration) -> Duration {
        time.clamp(Duration::from_millis(1), MAX_TIME_TO_LIVE)
    }

    pub(super) fn check(&self) -> Result<(), BuildError> {
        BuildError::unless_a_millisecond("sink_timeout", self.sink_timeout)
    }

    /// The pause after this many tries: twice as long each time, less a random share of up to a
    /// half.
    pub(super) fn pause(&self, tries: u32) -> Duration {
        let doubled = 1_u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
        let pause = self.first_pause.saturating_mul(doubled).min(self.longest_pause);
        pause.mul_f64(1.0 - 0.5 * rand::random::<f64>())
    }
}

#[cfg(test)]
impl FlushSettings {
    pub(super) fn of_tests() -> Self {
        Self {
            capacity: 1,
            max_batch: 1,
            interval: Duration::ZERO,
            tries: 1,
            first_pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(30),
            sink_timeout: Duration::ZERO,
            claim_after: Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_differ() {
        let settings =
            FlushSettings { longest_pause: Duration::from_secs(1), ..FlushSettings::of_tests() };
        for (tries, longest_ms) in [(1, 100), (2, 200), (3, 400), (5, 1_000), (u32::MAX, 1_000)] {
            let longest = Duration::from_millis(longest_ms);
            let pause = settings.pause(tries);
            assert!(longest / 2 <= pause && pause <= longest, "{tries}: {pause:?}");
        }
        assert_ne!(settings.pause(5), settings.pause(5), "a fleet would try again in step");
    }
}
