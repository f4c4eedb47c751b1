//! Limits log lines that repeat with traffic to one a minute, and logs where nothing may panic.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::user_code::contained;

/// Limits a log line for a frequent event to one a minute, with the number of times it happened.
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
    /// How often it has happened since then.
    times: u64,
}

impl LogLimit {
    /// The shortest time between two lines for one cause.
    pub const EVERY: Duration = Duration::from_secs(60);

    /// A cause that was never logged.
    pub const fn new() -> Self {
        Self { told: Mutex::new(SinceLastTold { at: None, times: 0 }) }
    }

    /// Counts an event. If a line is due, returns how often the event has happened since the last
    /// line, this time included.
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

/// Limits for several causes, each by its name. The number of names must be bounded.
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

/// Writes a log line where nothing may panic. A subscriber is foreign code and may panic.
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
