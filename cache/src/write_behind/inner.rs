use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::DropGuard;

use super::durable::Durable;
use super::memory::Memory;
use super::row::WriteError;
use super::settings::FlushSettings;
use super::shared::{Control, WriteBehindCounts};
use crate::cache::Cache;
use crate::connection::Away;
use crate::key::{Key, Value};

/// The state that all clones share. Dropped with the last clone, which stops the flusher at once.
pub(super) struct Inner<K, V> {
    pub(super) cache: Cache<K, V>,
    pub(super) kind: Kind<K, V>,
    pub(super) settings: FlushSettings,
    pub(super) on_evicting: OnEvicting,
    pub(super) control: Arc<Control>,
    pub(super) counts: Arc<WriteBehindCounts>,
    pub(super) _end: DropGuard,
}

/// What a write does if Redis may evict it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum OnEvicting {
    /// The write is accepted; log and report mention it.
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

    /// The unwritten value that answers a read. The durable kind gives none while the bus is
    /// silent, since another node may have written a newer one.
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
    /// Refuses a write if the settings ask for it and Redis is known to evict keys without a time
    /// to live, or could not be asked yet.
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
}
