//! Services that could not begin to be watched, why, and when each is tried again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::service_id::ServiceId;

/// After its first failure a service is tried again so soon, and twice as late after each other one.
const FIRST_AGAIN: Duration = Duration::from_secs(2);
const LAST_AGAIN: Duration = Duration::from_secs(60);

/// What could not begin, by its name in addresses.
#[derive(Default)]
pub(super) struct Failures(Mutex<BTreeMap<String, Failure>>);

struct Failure {
    why: String,
    pause: Duration,
    again_at: Instant,
}

impl Failures {
    /// Whether a service is to be tried now.
    pub(super) fn is_due(&self, id: &ServiceId, now: Instant) -> bool {
        self.all().get(&id.to_string()).is_none_or(|failure| failure.again_at <= now)
    }

    /// Takes note of how a service began, or why it did not. That it goes on for the same reason is
    /// no news.
    pub(super) fn note(&self, id: &ServiceId, error: Option<&anyhow::Error>, now: Instant) {
        let mut all = self.all();
        // What is not tried any more is not wanted any more.
        all.retain(|_, failure| failure.again_at + LAST_AGAIN > now);
        let earlier = all.remove(&id.to_string());
        let Some(error) = error else { return };
        let why = format!("{error:#}");
        if earlier.as_ref().is_none_or(|earlier| earlier.why != why) {
            warn!(service = %id, "failed to begin to watch a service: {why}");
        }
        let pause = earlier.map_or(FIRST_AGAIN, |earlier| (earlier.pause * 2).min(LAST_AGAIN));
        all.insert(id.to_string(), Failure { why, pause, again_at: now + pause });
    }

    /// Why a service could not begin.
    pub(super) fn why(&self, id: &str) -> Option<String> {
        self.all().get(id).map(|failure| failure.why.clone())
    }

    /// All of them, each as a sentence.
    pub(super) fn sentences(&self) -> Vec<String> {
        let sentence = |(id, failure): (&String, &Failure)| {
            format!("Strata failed to begin to watch {id}: {}. It is tried again.", failure.why)
        };
        let now = Instant::now();
        let all = self.all();
        all.iter().filter(|(_, one)| one.again_at + LAST_AGAIN > now).map(sentence).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Failure>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_begin_is_tried_later_and_later_and_says_why() {
        let (failures, shop) = (Failures::default(), ServiceId::new(None, "shop"));
        let mut now = Instant::now();
        assert!(failures.is_due(&shop, now));
        let error = anyhow::anyhow!("use this key");
        for pause_s in [2, 4, 8, 16, 32, 60, 60] {
            failures.note(&shop, Some(&error), now);
            now += Duration::from_secs(pause_s);
            assert!(!failures.is_due(&shop, now - Duration::from_millis(1)), "{pause_s}");
            assert!(failures.is_due(&shop, now), "{pause_s}");
        }
        assert_eq!(failures.why("shop").as_deref(), Some("use this key"));
        assert!(failures.sentences()[0].contains("shop: use this key"));
        failures.note(&shop, None, now);
        assert!(failures.is_due(&shop, now) && failures.sentences().is_empty());
    }
}
