//! Invalidations and writes. Order: the source has committed → L2 and the bus in one step → the
//! fence and L1 in one step. L1 first would let a reader refill it from the old L2.

use std::sync::Arc;
use std::time::Duration;

use strata_report::{Effect, Origin, Scope, What};
use tokio::task::JoinHandle;

use crate::bus::{Message, Subject};
use crate::clock::Moment;
use crate::core::{Core, Life};
use crate::l1::Entry;
use crate::l2::{Away, Keyspace, Lease};
use crate::node::Progress;
use crate::recorder::hash_of;
use crate::{Key, Loaded, Pattern, Value};

impl<K: Key, V: Value> Core<K, V> {
    pub(crate) async fn invalidate(self: Arc<Self>, key: K) -> Effect {
        let effect = match &self.l2 {
            Some(l2) => self.effect(l2.remove(&key.to_string()).await),
            None => Effect::Off,
        };
        self.drop_key(&key, Origin::Local);
        effect
    }

    /// Marks a key as stale on every level: it is served while one refresh runs.
    pub(crate) async fn soften(self: Arc<Self>, key: K) -> Effect {
        let effect = match &self.l2 {
            Some(l2) => self.effect(l2.soften(&key.to_string()).await),
            None => Effect::Off,
        };
        match effect {
            // L2 may hold it as fresh until the queue is replayed, so L1 must not refill from it.
            Effect::Queued => self.drop_key(&key, Origin::Local),
            Effect::Removed { .. } | Effect::Off => self.soften_l1(&key, Origin::Local),
        }
        effect
    }

    fn soften_l1(&self, key: &K, origin: Origin) {
        self.fence.overtake(key, || {
            if let Some(entry) = self.l1.get_if_present(key) {
                let now = Moment::now();
                let fresh_until = entry.fresh_until.min(now);
                self.put_l1(key, &Entry { fresh_until, soft: true, filled_at: now, ..entry });
            }
        });
        self.recorder.note(key, What::Softened { origin });
        self.recorder.invalidation(Scope::Key, origin);
    }

    /// Removes what matches; everything without a pattern.
    pub(crate) async fn invalidate_all(
        self: Arc<Self>,
        pattern: Option<Pattern>,
        progress: Arc<Progress>,
    ) -> Effect {
        // First, so that no fill that began before survives; and again at the end, for those that
        // read L2 while it was being emptied.
        self.drop_all(pattern.as_ref());
        let effect = match &self.l2 {
            Some(l2) => self.effect(l2.remove_matching(pattern.as_ref(), &progress).await),
            None => Effect::Off,
        };
        self.drop_all(pattern.as_ref());
        self.recorder.note_pattern(pattern.as_ref(), Origin::Local);
        self.recorder.invalidation(scope(pattern.as_ref()), Origin::Local);
        effect
    }

    /// Runs a write and puts what it returns into both levels, unless another write or an
    /// invalidation came in between; then the key is invalidated instead.
    ///
    /// The lease is taken before the write, so whoever touches the key meanwhile takes it away.
    pub(crate) async fn write<E>(
        self: Arc<Self>,
        key: K,
        write: impl Future<Output = Result<Loaded<V>, E>>,
    ) -> Result<(Arc<V>, Effect), E> {
        let text = key.to_string();
        let token = self.fence.token(&key);
        let lease = Lease::new();
        let leased = match &self.l2 {
            Some(l2) => l2.seize(&text, &lease, self.lease_ms()).await.is_ok(),
            None => false,
        };
        let loaded = match write.await {
            Ok(loaded) => loaded,
            Err(error) => {
                if let (Some(l2), true) = (&self.l2, leased) {
                    l2.release(&lease, std::slice::from_ref(&text)).await;
                }
                return Err(error);
            }
        };
        let life = Life::new(self.l2_fresh_for(Some(&loaded)), Duration::ZERO);
        let value = Arc::new(loaded.value);
        let (effect, kept) = match &self.l2 {
            None => (Effect::Off, true),
            Some(l2) => {
                let encoded = self.encode(&text, Some(&value), life).filter(|_| leased);
                self.replace(l2, (&text, &lease), encoded).await
            }
        };
        let entry = self.entry(&key, Some(Arc::clone(&value)), token, life);
        let stored =
            kept && self.fence.fill_and_overtake(&key, token, || self.put_l1(&key, &entry));
        if !stored {
            self.drop_key(&key, Origin::Local);
        } else {
            self.recorder.written(entry.tag, entry.weight);
            self.recorder.invalidation(Scope::Key, Origin::Local);
        }
        Ok((value, effect))
    }

    /// Writes to L2 while the lease is ours, else invalidates. Says whether it was written.
    async fn replace(
        &self,
        l2: &Keyspace,
        (text, lease): (&str, &Lease),
        entry: Option<(Vec<u8>, u64)>,
    ) -> (Effect, bool) {
        if let Some((bytes, ttl_ms)) = entry
            && let Ok(written) = l2.replace(lease, (text, bytes, ttl_ms)).await
        {
            let count = if written { &self.recorder.l2_puts } else { &self.recorder.l2_refused };
            count.add(1);
            return (Effect::Removed { entries: 0 }, written);
        }
        // Whether or not it arrived, what L2 holds now is unknown.
        (self.effect(l2.remove(text).await), false)
    }

    pub(crate) fn hear_message(&self, message: &Message) {
        match &message.subject {
            Subject::Key(text) => {
                if let Ok(key) = text.parse::<K>() {
                    self.drop_key(&key, Origin::Bus);
                }
            }
            Subject::Soft(text) => {
                if let Ok(key) = text.parse::<K>() {
                    self.soften_l1(&key, Origin::Bus);
                }
            }
            Subject::Pattern(text) => match Pattern::parse(text) {
                Ok(pattern) => self.hear_all(Some(&pattern)),
                // A pattern that this version cannot read may match anything.
                Err(_) => self.hear_all(None),
            },
            Subject::All => self.hear_all(None),
        }
    }

    fn hear_all(&self, pattern: Option<&Pattern>) {
        self.drop_all(pattern);
        self.recorder.note_pattern(pattern, Origin::Bus);
        self.recorder.invalidation(scope(pattern), Origin::Bus);
    }

    pub(crate) fn drop_key(&self, key: &K, origin: Origin) {
        let had = self.fence.overtake(key, || self.l1.remove(key));
        self.recorder.l1_removed.add(u64::from(had));
        self.recorder.forget(hash_of(key));
        self.recorder.note_invalidation(key, origin);
        self.recorder.invalidation(Scope::Key, origin);
    }

    /// Overtakes every fill and drops what matches from L1.
    fn drop_all(&self, pattern: Option<&Pattern>) {
        let Some(pattern) = pattern else {
            self.recorder.l1_removed.add(self.l1.entry_count());
            self.fence.raise_epoch();
            self.l1.remove_all();
            self.l1.upkeep();
            self.recorder.forget_all();
            return;
        };
        self.fence.overtake_all();
        let keys = self.l1.matching(pattern, |_| true);
        for (key, _) in keys {
            self.recorder.l1_removed.add(u64::from(self.l1.remove(&key)));
            self.recorder.forget(hash_of(&*key));
        }
    }

    fn effect(&self, removed: Result<u64, Away>) -> Effect {
        match removed {
            Ok(entries) => {
                self.recorder.l2_removed.add(entries);
                Effect::Removed { entries }
            }
            Err(Away) => Effect::Queued,
        }
    }
}

fn scope(pattern: Option<&Pattern>) -> Scope {
    if pattern.is_some() { Scope::Pattern } else { Scope::All }
}

/// Waits for work that runs to its end whether or not somebody waits.
pub(crate) async fn to_its_end<T: Send + 'static>(running: JoinHandle<T>) -> Option<T> {
    match running.await {
        Ok(done) => Some(done),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // The runtime is going down, and the process with it.
        Err(_) => None,
    }
}
