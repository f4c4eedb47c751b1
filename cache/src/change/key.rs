//! Invalidations of single keys. The order is: the source has committed, then L2 and the bus change
//! in one step, then the fence and L1 in one step. If L1 came first, a reader could refill it from
//! the old L2.

use std::sync::Arc;

use strata_report::{Effect, Origin, Scope, What};

use super::guards::{NamedKeys, OnInterrupt};
use crate::clock::Moment;
use crate::connection::{Away, PendingInvalidation};
use crate::key::{Key, Value};
use crate::l1::Entry;
use crate::l2::Keyspace;
use crate::log::log_safely;
use crate::read::Core;
use crate::recorder::hash_of;
use crate::target::Target;

impl<K: Key, V: Value> Core<K, V> {
    pub(crate) async fn invalidate(self: Arc<Self>, keys: Vec<K>) -> Effect {
        let named = self.named(&keys);
        self.invalidate_named(named).await
    }

    pub(crate) async fn invalidate_named(self: Arc<Self>, named: NamedKeys<K>) -> Effect {
        self.overtake_unwritten(|| named.texts.iter().cloned().map(Target::Key).collect());
        self.remove_named(named).await
    }

    /// As [`invalidate_named`](Self::invalidate_named), but leaves unwritten values alone.
    pub(crate) async fn remove_named(self: Arc<Self>, named: NamedKeys<K>) -> Effect {
        let NamedKeys { keys, texts, is_odd, is_nameless } = named;
        if is_nameless {
            return self.invalidate_the_nameless().await;
        }
        let drop_keys = || keys.iter().for_each(|key| self.drop_key(key, Origin::Local));
        let interrupted = OnInterrupt::run(|| {
            self.queue(|l2| texts.iter().map(|text| l2.pending(Target::key(text))).collect());
            drop_keys();
        });
        let effect = match &self.l2 {
            Some(l2) => {
                let removed = l2.remove(&texts).await;
                self.announce_odd(is_odd).await;
                self.effect(removed)
            }
            None => Effect::Off,
        };
        interrupted.disarm();
        drop_keys();
        effect
    }

    /// This comes first, so that it happens whatever becomes of the rest. From then on reads ask
    /// the cache, and therefore see the invalidation that follows.
    pub(crate) fn overtake_unwritten(&self, targets: impl FnOnce() -> Vec<Target>) {
        self.node.shared().overtake_unwritten(&self.name, targets);
    }

    pub(crate) fn queue(&self, pending: impl FnOnce(&Keyspace) -> Vec<PendingInvalidation>) {
        if let Some(l2) = &self.l2 {
            pending(l2).into_iter().for_each(|pending| l2.link.queue(pending));
        }
    }

    pub(crate) async fn announce_odd(&self, is_odd: bool) {
        if let Some(l2) = &self.l2
            && is_odd
        {
            l2.announce_all().await;
            if let Some(times) = self.log.due("odd key") {
                let cache = &*self.name;
                log_safely(|| {
                    tracing::warn!(cache, times, "a key's text does not read back as the key");
                });
            }
        }
    }

    /// Marks a key as stale on every level: it is served while one refresh runs.
    pub(crate) async fn mark_stale(self: Arc<Self>, key: K) -> Effect {
        let NamedKeys { keys, texts, is_odd, is_nameless } = self.named(&[key]);
        let (Some(key), Some(text), false) = (keys.first(), texts.first(), is_nameless) else {
            return self.invalidate_the_nameless().await;
        };
        self.overtake_unwritten(|| vec![Target::key(text)]);
        let interrupted = OnInterrupt::run(|| {
            self.queue(|l2| vec![l2.pending(Target::key(text))]);
            self.drop_key(key, Origin::Local);
        });
        let effect = match &self.l2 {
            Some(l2) => {
                let marked = l2.mark_stale(text).await;
                self.announce_odd(is_odd).await;
                self.effect(marked)
            }
            None => Effect::Off,
        };
        interrupted.disarm();
        match effect {
            // L2 may still hold it as fresh, so L1 must not refill from it.
            Effect::Queued => self.drop_key(key, Origin::Local),
            Effect::Removed { .. } | Effect::Marked | Effect::Off => {
                self.mark_stale_in_l1(key, Origin::Local);
            }
        }
        effect
    }

    pub(crate) fn mark_stale_in_l1(&self, key: &K, origin: Origin) {
        let mark_stale = || {
            if let Some(entry) = self.l1.get_if_present(key) {
                let now = Moment::now();
                if self.is_overtaken(key, &entry) {
                    return;
                }
                let fresh_until = entry.fresh_until.min(now);
                self.put_l1(key, &Entry { fresh_until, soft: true, ..entry });
            }
        };
        self.in_l1(|| self.fence.overtake(key, mark_stale));
        self.recorder.note(key, What::Softened { origin });
        self.recorder.invalidation(Scope::Key, origin);
    }

    pub(crate) fn drop_key(&self, key: &K, origin: Origin) {
        self.in_l1(|| {
            let had = self.fence.overtake(key, || self.l1.remove(key));
            self.recorder.l1_removed.add(u64::from(had));
            self.recorder.forget(hash_of(key));
        });
        self.recorder.note_invalidation(key, origin);
        self.recorder.invalidation(Scope::Key, origin);
    }

    pub(crate) fn effect(&self, removed: Result<u64, Away>) -> Effect {
        match removed {
            Ok(entries) => {
                self.recorder.l2_removed.add(entries);
                Effect::Removed { entries }
            }
            Err(Away) => Effect::Queued,
        }
    }
}
