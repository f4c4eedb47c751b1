/// Clocks of the whole process that a test can move. Useful where each test has a process of its
/// own, as under nextest.
#[cfg(any(test, feature = "holds"))]
pub mod test_clock {
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
    use std::time::Duration;

    static SLEPT_NS: AtomicU64 = AtomicU64::new(0);
    static WALL_AHEAD_MS: AtomicI64 = AtomicI64::new(0);

    /// Simulates a machine that slept for `duration`: timers stood still, but deadlines did not.
    pub fn sleep_machine(duration: Duration) {
        SLEPT_NS.fetch_add(super::nanos(duration), Ordering::Relaxed);
    }

    /// Sets the wall clock ahead of the right time, or behind it if `ms` is negative.
    pub fn set_wall_ahead_ms(ms: i64) {
        WALL_AHEAD_MS.store(ms, Ordering::Relaxed);
    }

    pub(super) fn slept_ns() -> u64 {
        SLEPT_NS.load(Ordering::Relaxed)
    }

    pub(super) fn wall_ahead_ms() -> i64 {
        WALL_AHEAD_MS.load(Ordering::Relaxed)
    }
}

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest time to live; longer ones are shortened to it. moka refuses 1 000 years.
pub(crate) const MAX_TIME_TO_LIVE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// An instant in eight bytes, since entries carry several. It counts nanoseconds from a year before
/// the clock's own beginning, so it can also express the age of an L2 entry that is older than the
/// machine's uptime.
///
/// On Linux the clock goes on while the machine sleeps, so no entry lives longer than its time to
/// live in real time. Elsewhere it may stand still during sleep. It cannot be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(NonZeroU64);

impl Moment {
    const HEADROOM_NS: u64 = 365 * 24 * 3600 * 1_000_000_000;

    #[inline]
    pub(crate) fn now() -> Self {
        Self::of(Self::HEADROOM_NS + elapsed_ns())
    }

    // Never zero, so that an `Option` of a moment takes eight bytes too.
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

/// Reads the clock through the kernel's vDSO, as `Instant::now` does.
#[cfg(all(target_os = "linux", not(any(test, feature = "holds"))))]
#[inline]
fn elapsed_ns() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Tests may pause this clock, and simulate a machine that sleeps.
#[cfg(not(all(target_os = "linux", not(any(test, feature = "holds")))))]
fn elapsed_ns() -> u64 {
    use tokio::time::Instant;
    static ORIGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let now = Instant::now();
    let elapsed = nanos(now.saturating_duration_since(*ORIGIN.get_or_init(|| now)));
    #[cfg(any(test, feature = "holds"))]
    let elapsed = elapsed + test_clock::slept_ns();
    elapsed
}

/// Milliseconds since the epoch by this machine's clock. The clock can be set, so the result is for
/// display only, never for a deadline.
pub(crate) fn now_ms() -> u64 {
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis);
    #[cfg(any(test, feature = "holds"))]
    let now_ms = now_ms.saturating_add_signed(test_clock::wall_ahead_ms());
    now_ms
}

/// Redis's clock, which all nodes share. It is extrapolated by [`Moment`] from the last reading.
/// Before the first reading, this machine's wall clock is used.
#[derive(Debug)]
pub(crate) struct RedisClock {
    /// Redis's microseconds since the epoch at the beginning of [`Moment`].
    began_us: AtomicI64,
}

impl RedisClock {
    const UNREAD: i64 = i64::MIN;

    pub(crate) const fn new() -> Self {
        Self { began_us: AtomicI64::new(Self::UNREAD) }
    }

    /// Records Redis's time, read between two moments. The error is at most half the time between
    /// them.
    pub(crate) fn read(&self, redis_us: u64, (sent, received): (Moment, Moment)) {
        let between_us = sent.as_nanos().midpoint(received.as_nanos()) / 1_000;
        let began_us = redis_us.cast_signed().saturating_sub(between_us.cast_signed());
        self.began_us.store(began_us, Ordering::Relaxed);
    }

    /// Milliseconds since the epoch.
    pub(crate) fn now_ms(&self) -> u64 {
        match self.began_us.load(Ordering::Relaxed) {
            Self::UNREAD => now_ms(),
            began_us => {
                let now_us = Moment::now().as_nanos() / 1_000;
                now_us.saturating_add_signed(began_us) / 1_000
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_goes_on_while_the_machine_sleeps() {
        let before = Moment::now();
        test_clock::sleep_machine(Duration::from_secs(3_600));
        assert!(Moment::now().since(before) >= Duration::from_secs(3_600));
    }

    #[test]
    fn redis_s_clock_goes_on_whatever_becomes_of_the_wall_clock() {
        let clock = RedisClock::new();
        assert!(clock.now_ms().abs_diff(now_ms()) < 1_000, "the wall clock stands in");
        let (sent, received) = (Moment::now(), Moment::now().after(Duration::from_millis(10)));
        clock.read(1_763_000_000_000_000, (sent, received));
        let early = clock.now_ms();
        assert!((1_762_999_999_994..1_763_000_005_000).contains(&early), "{early}");
        test_clock::set_wall_ahead_ms(-3_600_000);
        assert!(clock.now_ms() >= early);
        test_clock::sleep_machine(Duration::from_secs(60));
        assert!(clock.now_ms() >= early + 60_000);
    }
}
