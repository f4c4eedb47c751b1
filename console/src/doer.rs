use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::audit::Deed;
use crate::{Actor, Console};

/// Whose job it is. Goes with the job to its end, so that the audit trail tells of it once and with
/// all that is known of who began it.
#[derive(Debug)]
pub(crate) struct Doer {
    actor: Actor,
    has_told: AtomicBool,
}

impl Doer {
    pub(crate) fn new(actor: &Actor) -> Arc<Self> {
        Arc::new(Self { actor: actor.clone(), has_told: AtomicBool::new(false) })
    }

    pub(crate) fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Writes down how the job ended; only the first time.
    pub(crate) fn tell_end(&self, console: &Console, deed: Deed<'_>, result: String) {
        if !self.has_told.swap(true, Relaxed) {
            console.inner.audit.record(&self.actor, deed, result);
        }
    }
}
