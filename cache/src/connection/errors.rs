//! Errors counted by code, and timeouts in a row.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use strata_report::L2Error;
use tokio::time::Instant;

use super::answer::ErrorReply;
use crate::clock::now_ms;
use crate::log::{LogLimits, log_safely};

/// An error older than this is over.
const OVER_AFTER: Duration = Duration::from_secs(60);

/// The greatest number of codes that are counted separately, since the server is not trusted.
const MAX_CODES: usize = 32;

/// Errors on a node's link to Redis: counted by code, with the last one kept. Each code is logged
/// at most once a minute.
#[derive(Debug, Default)]
pub(crate) struct ErrorCounts {
    inner: Mutex<Inner>,
    told: LogLimits,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    by_code: BTreeMap<String, u64>,
    last: Option<(L2Error, Instant)>,
}

impl ErrorCounts {
    pub(crate) fn note(&self, answer: &ErrorReply) {
        let now = Instant::now();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let code = match inner.by_code.contains_key(&*answer.code) {
            true => answer.code.to_string(),
            false if inner.by_code.len() < MAX_CODES => answer.code.to_string(),
            false => "OTHER".to_owned(),
        };
        *inner.by_code.entry(code.clone()).or_default() += 1;
        inner.keep(&code, &answer.message, now);
        drop(inner);
        if let Some(times) = self.told.due(&code) {
            let message = &*answer.message;
            log_safely(|| tracing::warn!(code, message, times, "Redis answers with an error"));
        }
    }

    pub(crate) fn by_code(&self) -> BTreeMap<String, u64> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).by_code.clone()
    }

    /// The last error, unless it is over. While Redis is away the last error is never over.
    pub(crate) fn last(&self, is_away: bool) -> Option<L2Error> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (error, at) = inner.last.as_ref()?;
        (is_away || at.elapsed() < OVER_AFTER).then(|| error.clone())
    }
}

impl Inner {
    fn keep(&mut self, code: &str, message: &str, now: Instant) {
        let now_ms = now_ms();
        let message = message.to_owned();
        match &mut self.last {
            Some((last, at)) if last.code == code && now.duration_since(*at) < OVER_AFTER => {
                (last.message, last.at_ms) = (message, now_ms);
                last.times += 1;
                *at = now;
            }
            last => {
                let code = code.to_owned();
                let (since_ms, at_ms) = (now_ms, now_ms);
                *last = Some((L2Error { code, message, since_ms, at_ms, times: 1 }, now));
            }
        }
    }
}

/// This many timeouts in a row lose the connection, even if Redis answers on another one.
const MAX_IN_A_ROW: u32 = 4;

/// Timeouts since the last answer. Calls that ran out of time together count as one: each timeout
/// of a row belongs to a call sent after the previous timeout.
#[derive(Debug, Default)]
pub(crate) struct Timeouts {
    /// Lets an answer without preceding timeouts, the usual case, skip the lock.
    any: AtomicBool,
    row: Mutex<TimeoutRow>,
}

#[derive(Debug, Default)]
pub(crate) struct TimeoutRow {
    n: u32,
    last_at: Option<Instant>,
}

impl Timeouts {
    /// Records an answer.
    pub(crate) fn answered(&self) {
        if self.any.load(Ordering::Relaxed) {
            *self.row.lock().unwrap_or_else(PoisonError::into_inner) = TimeoutRow::default();
            self.any.store(false, Ordering::Relaxed);
        }
    }

    /// Records a timeout of a call sent at `sent`. Returns whether there were too many in a row.
    pub(crate) fn is_one_too_many(&self, sent: Instant) -> bool {
        let mut row = self.row.lock().unwrap_or_else(PoisonError::into_inner);
        if row.last_at.is_none_or(|last| sent >= last) {
            *row = TimeoutRow { n: row.n + 1, last_at: Some(Instant::now()) };
        }
        self.any.store(true, Ordering::Relaxed);
        row.n >= MAX_IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn the_last_error_says_since_when_and_how_often_until_it_is_over() {
        let errors = ErrorCounts::default();
        assert_eq!(errors.last(true), None);
        for _ in 0..3 {
            errors.note(&ErrorReply::timed_out("nothing came"));
        }
        let last = errors.last(false).unwrap();
        assert_eq!((&*last.code, &*last.message, last.times), ("TIMEOUT", "nothing came", 3));
        tokio::time::advance(OVER_AFTER).await;
        assert_eq!(errors.last(false), None, "it is over");
        assert!(errors.last(true).is_some(), "Redis is still away");
        errors.note(&ErrorReply::timed_out("again"));
        assert_eq!(errors.last(false).unwrap().times, 1, "counted anew");
        assert_eq!(errors.by_code(), BTreeMap::from([("TIMEOUT".to_owned(), 4)]));
    }

    const TIMEOUT: Duration = Duration::from_millis(100);

    async fn one_too_many(timeouts: &Timeouts) -> bool {
        let sent = Instant::now();
        tokio::time::advance(TIMEOUT).await;
        timeouts.is_one_too_many(sent)
    }

    #[tokio::test(start_paused = true)]
    async fn several_timeouts_in_a_row_are_too_many() {
        let timeouts = Timeouts::default();
        for _ in 1..MAX_IN_A_ROW {
            assert!(!one_too_many(&timeouts).await);
        }
        assert!(one_too_many(&timeouts).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_ends_the_row() {
        let timeouts = Timeouts::default();
        for _ in 0..3 * MAX_IN_A_ROW {
            assert!(!one_too_many(&timeouts).await);
            timeouts.answered();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_run_out_together_count_as_one() {
        let timeouts = Timeouts::default();
        let sent = Instant::now();
        tokio::time::advance(TIMEOUT).await;
        for _ in 0..100 {
            assert!(!timeouts.is_one_too_many(sent));
        }
    }
}
