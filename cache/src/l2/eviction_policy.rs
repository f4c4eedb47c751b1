//! Whether Redis may evict data that cannot be loaded again. Unwritten values and structures have
//! no time to live, and a `maxmemory-policy` of `allkeys-…` evicts them like any other key.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::cmd;
use strata_report::may_evict_data;
use tokio::sync::Notify;

use crate::connection::{Away, CallError, Link};
use crate::log::log_safely;

/// The policy may be changed while Redis runs.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(30);

/// The pause between attempts while Redis is away.
const TRIED_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Redis's policy as last read, and as last logged.
#[derive(Default)]
pub(crate) struct EvictionPolicy {
    known: Mutex<KnownPolicy>,
    /// Notified when there is new data that must not be evicted.
    pub(crate) matters: Notify,
}

#[derive(Default)]
struct KnownPolicy {
    /// Whether Redis has answered or refused to.
    asked: bool,
    policy: Option<String>,
    /// The policy that was last logged.
    told: Option<String>,
}

impl EvictionPolicy {
    /// The policy as last read. `None` if it was not read yet, or Redis does not report it.
    pub(crate) fn policy(&self) -> Option<String> {
        self.known().policy.clone()
    }

    /// The policy, if it may evict data that must not be evicted. Asks Redis if it was never asked.
    pub(crate) async fn danger(&self, link: &Link) -> Result<Option<String>, Away> {
        let asked = self.known().asked;
        if !asked && !self.ask(link).await {
            return Err(Away);
        }
        Ok(self.policy().filter(|policy| may_evict_data(policy)))
    }

    /// Asks repeatedly while there is data to lose, for ever.
    pub(crate) async fn watch(&self, link: &Link, node: &str, at_stake: impl Fn() -> Vec<String>) {
        loop {
            let names = at_stake();
            if names.is_empty() {
                self.matters.notified().await;
                continue;
            }
            let pause = match self.ask(link).await {
                true => ASKED_AGAIN_AFTER,
                false => TRIED_AGAIN_AFTER,
            };
            self.tell(node, &names);
            // A timeout is no error: there is no new data to protect.
            let _ = tokio::time::timeout(pause, self.matters.notified()).await;
        }
    }

    /// Asks Redis. Returns whether it answered or refused.
    async fn ask(&self, link: &Link) -> bool {
        let Ok(policy) = link.eviction_policy().await else { return false };
        let mut known = self.known();
        (known.asked, known.policy) = (true, policy);
        true
    }

    /// Logs once for each policy that may evict them.
    fn tell(&self, node: &str, names: &[String]) {
        let policy = {
            let mut known = self.known();
            let danger = known.policy.clone().filter(|policy| may_evict_data(policy));
            if danger == known.told {
                return;
            }
            known.told.clone_from(&danger);
            danger
        };
        let Some(policy) = policy else { return };
        log_safely(|| {
            let names = names.join(", ");
            tracing::warn!(
                node,
                policy,
                names,
                "Redis may evict acknowledged writes and structures: set its maxmemory-policy to noeviction or volatile-lfu"
            );
        });
    }

    fn known(&self) -> std::sync::MutexGuard<'_, KnownPolicy> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Redis's eviction policy. `None` if neither `INFO` nor `CONFIG` reports it. An ACL may forbid
    /// `CONFIG`.
    async fn eviction_policy(&self) -> Result<Option<String>, CallError> {
        const FIELD: &str = "maxmemory_policy:";
        let info = allowed(self.inspect::<String>(cmd("INFO").arg("memory")).await)?;
        let told = info.as_deref().unwrap_or_default();
        if let Some(policy) = told.lines().find_map(|line| line.strip_prefix(FIELD)) {
            return Ok(Some(policy.trim().to_owned()));
        }
        let mut get = cmd("CONFIG");
        get.arg("GET").arg("maxmemory-policy");
        let config = allowed(self.inspect::<Vec<String>>(&get).await)?;
        Ok(config.and_then(|pair| pair.into_iter().nth(1)))
    }
}

/// The answer. `None` if Redis refused.
fn allowed<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(CallError::Refused(_)) => Ok(None),
        Err(CallError::Away) => Err(CallError::Away),
    }
}
