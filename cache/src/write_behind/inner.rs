use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Mutex, Notify};
use tokio_util::sync::DropGuard;

use super::backlog::Backlog;
use super::control::Control;
use super::counts::WriteBehindCounts;
use super::durable::Durable;
use super::flusher::Flusher;
use super::handle::WriteBehind;
use super::memory::Memory;
use super::row::WriteError;
use super::settings::FlushSettings;
use crate::bus::Subject;
use crate::cache::Cache;
use crate::connection::Away;
use crate::error::BuildError;
use crate::key::{Key, Value};
use crate::node::Ear;

/// What all clones share. Dropped with the last of them, which stops the flusher where it is.
pub(super) struct Inner<K, V> {
    pub(super) cache: Cache<K, V>,
    pub(super) kind: Kind<K, V>,
    pub(super) settings: FlushSettings,
    pub(super) on_evicting: OnEvicting,
    pub(super) control: Arc<Control>,
    pub(super) counts: Arc<WriteBehindCounts>,
    pub(super) _end: DropGuard,
}

/// What a write does where Redis may evict it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum OnEvicting {
    /// It is taken; log and report say so.
    #[default]
    Warn,
    Refuse,
}

pub(super) enum Kind<K, V> {
    Memory(Arc<Memory<K, V>>),
    Durable(Arc<Durable<K, V>>),
}

impl<K: Key, V: Value + Clone> Kind<K, V> {
    pub(super) fn unwritten(&self, key: &K) -> Option<(Arc<V>, Duration)> {
        match self {
            Self::Memory(memory) => memory.unwritten(key),
            Self::Durable(durable) => durable.unwritten(key),
        }
    }

    /// The unwritten value that answers a read: while the bus is silent none of the durable kind,
    /// since another node may have written a newer one.
    pub(super) fn answering(&self, key: &K) -> Option<(Arc<V>, Duration)> {
        match self {
            Self::Durable(durable) if !durable.hears() => None,
            Self::Memory(_) | Self::Durable(_) => self.unwritten(key),
        }
    }

    pub(super) fn room(&self) -> &Notify {
        match self {
            Self::Memory(memory) => memory.room(),
            Self::Durable(durable) => durable.room(),
        }
    }
}

impl<K: Key, V: Value + Clone> Inner<K, V> {
    /// Refuses where that was asked for and Redis is known to evict what has no time to live, or
    /// could not be asked yet.
    pub(super) async fn check_eviction(&self) -> Result<(), WriteError> {
        let shared = self.cache.core().node.shared();
        let (OnEvicting::Refuse, Some(link)) = (self.on_evicting, shared.link()) else {
            return Ok(());
        };
        match shared.eviction().danger(link).await {
            Ok(Some(policy)) => Err(WriteError::Evicting { policy }),
            Ok(None) => Ok(()),
            Err(Away) => Err(WriteError::Away),
        }
    }

    pub(super) fn register(self) -> Result<WriteBehind<K, V>, BuildError> {
        let inner = Arc::new(self);
        let core = inner.cache.core();
        let write_behind: Weak<Self> = Arc::downgrade(&inner);
        core.node.shared().listen(write_behind, &core.name)?;
        Ok(WriteBehind { inner })
    }
}

impl<K: Key, V: Value + Clone> WriteBehind<K, V> {
    /// Runs the flusher until it ends by itself. One that panics starts again with what it has.
    pub(super) fn supervise<B: Backlog<K, V>>(&self, flusher: Flusher<B, K, V>) {
        let Inner { cache, control, .. } = &*self.inner;
        let tasks = cache.core().node.shared().tasks().until(control.ended.clone());
        let flusher = Arc::new(Mutex::new(flusher));
        tasks.spawn_until_done(&format!("flusher of {}", cache.name()), move || {
            let flusher = Arc::clone(&flusher);
            async move { flusher.lock().await.run().await }
        });
    }
}

impl<K: Key, V: Value + Clone> Ear for Inner<K, V> {
    fn cache(&self) -> &str {
        self.cache.name()
    }

    fn overtaken(&self, subject: &Subject) {
        let Kind::Durable(durable) = &self.kind else { return };
        let overtaken = self.cache.core().recorder.contain(|| durable.overtaken(subject));
        // Whose subject it was is not known, so nothing that is unwritten counts here.
        if overtaken.is_none() {
            durable.on_gap();
        }
    }

    fn on_gap(&self) {
        if let Kind::Durable(durable) = &self.kind {
            durable.on_gap();
        }
    }
}
