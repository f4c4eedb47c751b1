use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use super::super::actor::Actor;
use crate::console::Console;

/// Who began a job. Goes with the job to its end, so that the audit trail has its end once, with all
/// that is known of who began it.
#[derive(Debug)]
pub(crate) struct JobOwner {
    actor: Actor,
    is_recorded: AtomicBool,
}

impl JobOwner {
    pub(crate) fn new(actor: &Actor) -> Arc<Self> {
        Arc::new(Self { actor: actor.clone(), is_recorded: AtomicBool::new(false) })
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Writes down how the job ended; only the first time.
    pub(crate) fn record_end(&self, console: &Console, audited: AuditedAction<'_>, result: String) {
        if !self.is_recorded.swap(true, Relaxed) {
            console.inner.audit.record(&self.actor, audited, result);
        }
    }
}

/// Something that somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuditedAction<'a> {
    pub(crate) action: &'a str,
    /// Empty where it is not about a cache.
    pub(crate) cache: &'a str,
    /// The key, the pattern or the job.
    pub(crate) target: &'a str,
    /// When it began, where that was not just now.
    pub(crate) began_at_ms: Option<u64>,
}

impl<'a> AuditedAction<'a> {
    pub(crate) fn new(action: &'a str, cache: &'a str, target: &'a str) -> Self {
        Self { action, cache, target, began_at_ms: None }
    }
}

/// A number of entries in words: `1 entry`, `2 entries`.
pub(crate) fn count_of_entries(n: u64) -> String {
    if n == 1 { "1 entry".to_owned() } else { format!("{n} entries") }
}
