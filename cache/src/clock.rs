use std::num::NonZeroU64;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The longest time to live; longer ones are shortened to it. moka refuses 1 000 years.
pub(crate) const MAX_TIME_TO_LIVE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// An instant in eight bytes, since entries carry several: nanoseconds since a year before the
/// process first asked, so that what L2 kept for longer than the process lives has its age too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(NonZeroU64);

impl Moment {
    const HEADROOM_NS: u64 = 365 * 24 * 3600 * 1_000_000_000;

    pub(crate) fn now() -> Self {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let now = Instant::now();
        let since = now.saturating_duration_since(*ORIGIN.get_or_init(|| now));
        Self::of(Self::HEADROOM_NS + nanos(since))
    }

    // Never zero, so that a moment that may be missing takes eight bytes too.
    fn of(ns: u64) -> Self {
        Self(NonZeroU64::new(ns).unwrap_or(NonZeroU64::MIN))
    }

    pub(crate) fn as_nanos(self) -> u64 {
        self.0.get()
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.as_nanos().saturating_sub(earlier.as_nanos()))
    }

    pub(crate) fn micros_since(self, earlier: Self) -> u64 {
        self.as_nanos().saturating_sub(earlier.as_nanos()) / 1_000
    }

    pub(crate) fn before(self, duration: Duration) -> Self {
        Self::of(self.as_nanos().saturating_sub(nanos(duration)))
    }

    pub(crate) fn after(self, duration: Duration) -> Self {
        Self::of(self.as_nanos().saturating_add(nanos(duration)))
    }
}

/// Milliseconds since the epoch by this machine's clock.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis)
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Shortens a time to live by a random share up to `jitter`, so that entries written together do
/// not expire together.
pub(crate) fn jittered(time_to_live: Duration, jitter: f64) -> Duration {
    if jitter <= 0.0 {
        return time_to_live;
    }
    time_to_live.mul_f64(1.0 - jitter.min(1.0) * rand::random::<f64>())
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
