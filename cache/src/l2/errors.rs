use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use strata_report::L2Error;
use tokio::time::Instant;

use super::answer::Answer;
use crate::clock::now_ms;
use crate::log_limit::LogLimits;
use crate::tasks::log_safely;

/// An error that came last before so long ago is over.
const OVER_AFTER: Duration = Duration::from_secs(60);

/// Codes of an unknown server are counted apart up to so many.
const MAX_CODES: usize = 32;

/// What went wrong on a node's way to Redis: counted by code, the last one kept, each cause told
/// in the log once a minute at most.
#[derive(Debug, Default)]
pub(super) struct Errors {
    inner: Mutex<Inner>,
    told: LogLimits,
}

#[derive(Debug, Default)]
struct Inner {
    by_code: BTreeMap<String, u64>,
    last: Option<(L2Error, Instant)>,
}

impl Errors {
    pub(super) fn note(&self, answer: &Answer) {
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

    pub(super) fn by_code(&self) -> BTreeMap<String, u64> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).by_code.clone()
    }

    /// The last error, unless it is long over; whether or not, while `Redis` is away.
    pub(super) fn last(&self, is_away: bool) -> Option<L2Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_last_error_says_since_when_and_how_often_until_it_is_over() {
        let errors = Errors::default();
        assert_eq!(errors.last(true), None);
        for _ in 0..3 {
            errors.note(&Answer::timed_out("nothing came"));
        }
        let last = errors.last(false).unwrap();
        assert_eq!((&*last.code, &*last.message, last.times), ("TIMEOUT", "nothing came", 3));
        tokio::time::advance(OVER_AFTER).await;
        assert_eq!(errors.last(false), None, "it is over");
        assert!(errors.last(true).is_some(), "Redis is still away");
        errors.note(&Answer::timed_out("again"));
        assert_eq!(errors.last(false).unwrap().times, 1, "counted anew");
        assert_eq!(errors.by_code(), BTreeMap::from([("TIMEOUT".to_owned(), 4)]));
    }
}
