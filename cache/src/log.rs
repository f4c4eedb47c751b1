//! Lines of log that repeat with traffic, told once a minute, and logging where nothing may panic.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::user_code::contained;

/// Lets what may happen with every request be told in the log once a minute, with its number.
///
/// ```
/// use strata_cache::LogLimit;
///
/// static REFUSED: LogLimit = LogLimit::new();
///
/// fn refuse(why: &str) {
///     if let Some(times) = REFUSED.due() {
///         eprintln!("refused {times} times: {why}");
///     }
/// }
/// # refuse("it was malformed");
/// ```
#[derive(Debug, Default)]
pub struct LogLimit {
    told: Mutex<SinceLastTold>,
}

#[derive(Clone, Copy, Debug, Default)]
struct SinceLastTold {
    at: Option<Instant>,
    /// How often it happened since.
    times: u64,
}

impl LogLimit {
    /// One cause is told so often at most.
    pub const EVERY: Duration = Duration::from_secs(60);

    /// One cause, which was never told.
    pub const fn new() -> Self {
        Self { told: Mutex::new(SinceLastTold { at: None, times: 0 }) }
    }

    /// Counts that it happened. Where it is time to tell of it, says how often it has happened
    /// since it was told last, this time included.
    pub fn due(&self) -> Option<u64> {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.times += 1;
        if told.at.is_some_and(|at| now.duration_since(at) < Self::EVERY) {
            return None;
        }
        let times = told.times;
        *told = SinceLastTold { at: Some(now), times: 0 };
        Some(times)
    }
}

/// The same for several causes, each by its name. There must not be any number of them.
#[derive(Debug, Default)]
pub(crate) struct LogLimits {
    by_cause: Mutex<BTreeMap<String, LogLimit>>,
}

impl LogLimits {
    pub(crate) fn due(&self, cause: &str) -> Option<u64> {
        let mut by_cause = self.by_cause.lock().unwrap_or_else(PoisonError::into_inner);
        match by_cause.get(cause) {
            Some(limit) => limit.due(),
            None => by_cause.entry(cause.to_owned()).or_default().due(),
        }
    }
}

/// Writes a line of log where nothing may panic: a subscriber's code is not ours.
pub(crate) fn log_safely(log: impl FnOnce()) {
    let _: Option<()> = contained(log);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cause_is_told_once_a_minute_with_its_number() {
        let limit = LogLimit::new();
        let told: Vec<u64> = (0..10_000).filter_map(|_| limit.due()).collect();
        assert_eq!(told, [1], "at once");
        tokio::time::advance(LogLimit::EVERY).await;
        assert_eq!((limit.due(), limit.due()), (Some(10_000), None));
        tokio::time::advance(LogLimit::EVERY).await;
        assert_eq!(limit.due(), Some(2));
    }

    #[tokio::test(start_paused = true)]
    async fn each_cause_is_told_for_itself() {
        let limits = LogLimits::default();
        assert_eq!((limits.due("one"), limits.due("two")), (Some(1), Some(1)));
        assert_eq!((limits.due("one"), limits.due("two")), (None, None));
    }
}
