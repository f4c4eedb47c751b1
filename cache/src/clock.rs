use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The longest time to live; longer ones are shortened to it. moka refuses 1 000 years.
pub(crate) const MAX_TIME_TO_LIVE: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

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
