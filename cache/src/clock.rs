use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// The longest time to live; longer ones are shortened to it. moka refuses 1 000 years.
pub(crate) const MAX_TIME_TO_LIVE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// An instant in eight bytes, since entries carry several: nanoseconds since a year before the
/// process first asked, so that what L2 kept for longer than the process lives has its age too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    const HEADROOM_NS: u64 = 365 * 24 * 3600 * 1_000_000_000;

    pub(crate) fn now() -> Self {
        Self::at(Instant::now())
    }

    /// The moment at which a clock of tokio or of the standard library was read.
    pub(crate) fn at(instant: impl Into<Instant>) -> Self {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let instant = instant.into();
        let since = instant.saturating_duration_since(*ORIGIN.get_or_init(|| instant));
        Self(Self::HEADROOM_NS + nanos(since))
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn micros_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }

    pub(crate) fn before(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(nanos(duration)))
    }

    pub(crate) fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(nanos(duration)))
    }
}

/// Whether tokio's clock is the real one. A test's may be paused and then stands still between
/// two readings.
pub(crate) fn is_real() -> bool {
    let before = Instant::now();
    let real = std::time::Instant::now();
    while std::time::Instant::now() == real {}
    Instant::now() > before
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
