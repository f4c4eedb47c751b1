//! Invalidations and writes. Order: the source has committed → L2 and the bus in one step → the
//! fence and L1 in one step. L1 first would let a reader refill it from the old L2.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use strata_report::{Effect, Origin, Scope, What};
use tokio::task::JoinHandle;

use crate::bus::{Message, Subject};
use crate::clock::Moment;
use crate::core::{Core, Life};
use crate::interrupted::Interrupted;
use crate::kept_leases::Leases;
use crate::l1::Entry;
use crate::l2::{Away, Keyspace, Lease, Pending, Written};
use crate::named::Named;
use crate::node::Progress;
use crate::recorder::hash_of;
use crate::tasks::log_safely;
use crate::ticket::Ticket;
use crate::user_code::caught;
use crate::waiting_patterns::TooMany;
use crate::{Key, Loaded, Pattern, Value};

impl<K: Key, V: Value> Core<K, V> {
    pub(crate) async fn invalidate(self: Arc<Self>, keys: Vec<K>) -> Effect {
        let named = self.named(&keys);
        self.invalidate_named(named).await
    }

    pub(crate) async fn invalidate_named(self: Arc<Self>, named: Named<K>) -> Effect {
        self.overtake_unwritten(|| named.texts.iter().cloned().map(Subject::Key).collect());
        self.remove_named(named).await
    }

    /// As [`invalidate_named`](Self::invalidate_named), but for what is unwritten.
    pub(crate) async fn remove_named(self: Arc<Self>, named: Named<K>) -> Effect {
        let Named { keys, texts, is_odd, is_nameless } = named;
        if is_nameless {
            return self.invalidate_the_nameless().await;
        }
        let drop_keys = || keys.iter().for_each(|key| self.drop_key(key, Origin::Local));
        let interrupted = Interrupted::or(|| {
            self.queue(|l2| texts.iter().map(|text| l2.pending_key(text)).collect());
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
        interrupted.never();
        drop_keys();
        effect
    }

    /// First of all, so that it happens whatever becomes of the rest: reads ask the cache, and so
    /// what is invalidated next.
    fn overtake_unwritten(&self, subjects: impl FnOnce() -> Vec<Subject>) {
        self.node.shared().overtake_unwritten(&self.name, subjects);
    }

    fn queue(&self, pending: impl FnOnce(&Keyspace) -> Vec<Pending>) {
        if let Some(l2) = &self.l2 {
            pending(l2).into_iter().for_each(|pending| l2.link.queue(pending));
        }
    }

    async fn announce_odd(&self, is_odd: bool) {
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

    /// Overtakes every entry that carries the tag.
    pub(crate) async fn invalidate_tag(self: Arc<Self>, tag: String) -> Effect {
        self.overtake_unwritten(|| vec![Subject::Tag(tag.clone())]);
        let interrupted = Interrupted::or(|| {
            self.queue(|l2| vec![l2.pending_tag(&tag)]);
            self.overtake_tag(&tag, Origin::Local);
        });
        let effect = match &self.l2 {
            None => Effect::Off,
            Some(l2) => match l2.invalidate_tag(&tag).await {
                Err(Away) => Effect::Queued,
                Ok(sequence) => {
                    self.tags.heard(&tag, sequence);
                    Effect::Marked
                }
            },
        };
        interrupted.never();
        self.overtake_tag(&tag, Origin::Local);
        effect
    }

    fn overtake_tag(&self, tag: &str, origin: Origin) {
        self.tags.invalidate(tag, || self.fence.raise_tick());
        self.recorder.note_tag(tag, origin);
        self.recorder.invalidation(Scope::Tag, origin);
    }

    /// Marks a key as stale on every level: it is served while one refresh runs.
    pub(crate) async fn soften(self: Arc<Self>, key: K) -> Effect {
        let Named { keys, texts, is_odd, is_nameless } = self.named(&[key]);
        let (Some(key), Some(text), false) = (keys.first(), texts.first(), is_nameless) else {
            return self.invalidate_the_nameless().await;
        };
        self.overtake_unwritten(|| vec![Subject::Soft(text.clone())]);
        let interrupted = Interrupted::or(|| {
            self.queue(|l2| vec![l2.pending_key(text)]);
            self.drop_key(key, Origin::Local);
        });
        let effect = match &self.l2 {
            Some(l2) => {
                let softened = l2.soften(text).await;
                self.announce_odd(is_odd).await;
                self.effect(softened)
            }
            None => Effect::Off,
        };
        interrupted.never();
        match effect {
            // L2 may hold it as fresh until the queue is replayed, so L1 must not refill from it.
            Effect::Queued => self.drop_key(key, Origin::Local),
            Effect::Removed { .. } | Effect::Marked | Effect::Off => {
                self.soften_l1(key, Origin::Local);
            }
        }
        effect
    }

    fn soften_l1(&self, key: &K, origin: Origin) {
        let soften = || {
            if let Some(entry) = self.l1.get_if_present(key) {
                let now = Moment::now();
                if self.is_overtaken(key, &entry) {
                    return;
                }
                let fresh_until = entry.fresh_until.min(now);
                self.put_l1(key, &Entry { fresh_until, soft: true, ..entry });
            }
        };
        self.in_l1(|| self.fence.overtake(key, soften));
        self.recorder.note(key, What::Softened { origin });
        self.recorder.invalidation(Scope::Key, origin);
    }

    /// Removes what matches; everything without a pattern.
    pub(crate) async fn invalidate_all(
        self: Arc<Self>,
        pattern: Option<Pattern>,
        progress: Arc<Progress>,
    ) -> Effect {
        self.overtake_unwritten(|| {
            let subject = |pattern: &Pattern| Subject::Pattern(pattern.to_string());
            vec![pattern.as_ref().map_or(Subject::All, subject)]
        });
        // First, so that no fill that began before survives; and again at the end, for those that
        // read L2 while it was being emptied.
        self.in_l1(|| self.drop_all(pattern.as_ref()));
        let interrupted = Interrupted::or(|| {
            self.queue(|l2| vec![l2.pending(pattern.as_ref())]);
            self.in_l1(|| self.drop_all(pattern.as_ref()));
        });
        let effect = match &self.l2 {
            Some(l2) => self.effect(l2.remove_matching(pattern.as_ref(), &progress).await),
            None => Effect::Off,
        };
        interrupted.never();
        self.in_l1(|| self.drop_all(pattern.as_ref()));
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
        let token = self.fence.token(&key);
        let ticket = self.ticket(&key)(token);
        let Ticket { key, text, stamp, .. } = &ticket;
        let is_odd = self.l2.is_some() && self.is_odd(key, text);
        self.overtake_unwritten(|| vec![Subject::Key(text.clone())]);
        let lease = Lease::of_write();
        let mut unsettled = Unsettled { core: &self, key, l2: self.l2.as_ref().zip(Some(text)) };
        let leased = match &self.l2 {
            Some(l2) => l2.seize(text, &lease, self.lease_ms()).await.is_ok(),
            None => false,
        };
        let leases = match leased {
            true => self.write_lease(&lease, text),
            false => Leases::new(),
        };
        let writing = caught(self.writing(key, write));
        let loaded = match self.keeping_leases(leases, writing).await {
            Ok(Ok(loaded)) => loaded,
            // It may have committed all the same, and only the answer was lost.
            Ok(Err(error)) => {
                Arc::clone(&self).invalidate(vec![key.clone()]).await;
                unsettled.settle();
                return Err(error);
            }
            Err(panic) => {
                Arc::clone(&self).invalidate(vec![key.clone()]).await;
                unsettled.settle();
                resume_unwind(panic);
            }
        };
        let life = Life::of(Some(&loaded), self.l2_fresh_for(Some(&loaded)), Duration::ZERO);
        let value = Arc::new(loaded.value);
        let (effect, kept) = match &self.l2 {
            None => (Effect::Off, true),
            Some(l2) => {
                let written = self.encode(text, Some(&value), &life, *stamp);
                let written = leased.then(|| written.unwrap_or_else(Written::nothing));
                let replaced = self.replace(l2, (text, &lease), written).await;
                self.announce_odd(is_odd).await;
                replaced
            }
        };
        unsettled.l2 = None;
        let entry = self.entry(&ticket, Some(Arc::clone(&value)), &life);
        let stored = kept && self.fence.fill_and_overtake(key, token, || self.put_l1(key, &entry));
        unsettled.settle();
        if !stored {
            self.drop_key(key, Origin::Local);
        } else {
            self.recorder.written(entry.label, entry.weight);
            self.recorder.invalidation(Scope::Key, Origin::Local);
        }
        Ok((value, effect))
    }

    /// Writes to L2 while the lease is ours, else invalidates. Says whether nothing came in between.
    async fn replace(
        &self,
        l2: &Keyspace,
        (text, lease): (&str, &Lease),
        entry: Option<Written>,
    ) -> (Effect, bool) {
        let is_nothing = entry.as_ref().is_some_and(Written::is_nothing);
        if let Some(entry) = entry
            && let Ok(written) = l2.replace(lease, (text, entry)).await
        {
            match (written, is_nothing) {
                (true, true) => {}
                (true, false) => self.recorder.l2_puts.add(1),
                (false, _) => self.recorder.l2_refused.add(1),
            }
            return (Effect::Removed { entries: 0 }, written);
        }
        // Whether or not it arrived, what L2 holds now is unknown.
        (self.effect(l2.remove(&[text.to_owned()]).await), false)
    }

    /// Acts on another node's invalidation. Where code of a key or value panics, this cache alone
    /// is emptied: whatever the message was about, it is gone.
    pub(crate) fn hear_message(&self, message: &Message) {
        self.remove_what_stayed(message);
        self.in_l1(|| self.act_on(message));
    }

    /// A node that knows nothing of this cache's schema leaves its entries in L2. They go before
    /// this cache reads L2 again.
    fn remove_what_stayed(&self, message: &Message) {
        let Some(l2) = self.l2.as_ref().filter(|_| !message.removed(self.policy.schema)) else {
            return;
        };
        l2.link.queue(match &message.subject {
            Subject::Key(text) | Subject::Soft(text) => l2.pending_own(text),
            Subject::Pattern(_) | Subject::Tag(_) | Subject::All => l2.pending_all_own(),
        });
    }

    fn act_on(&self, message: &Message) {
        match &message.subject {
            // What cannot be read may be about any key.
            Subject::Key(text) => match text.parse::<K>() {
                Ok(key) => self.drop_key(&key, Origin::Bus),
                Err(_) => self.hear_all(None),
            },
            Subject::Soft(text) => match text.parse::<K>() {
                Ok(key) => self.soften_l1(&key, Origin::Bus),
                Err(_) => self.hear_all(None),
            },
            Subject::Pattern(text) => match Pattern::parse(text) {
                Ok(pattern) => self.hear_all(Some(&pattern)),
                // A pattern that this version cannot read may match anything.
                Err(_) => self.hear_all(None),
            },
            Subject::Tag(tag) => {
                self.tags.heard(tag, message.sequence);
                self.overtake_tag(tag, Origin::Bus);
            }
            Subject::All => self.hear_all(None),
        }
    }

    fn hear_all(&self, pattern: Option<&Pattern>) {
        self.drop_all(pattern);
        self.recorder.note_pattern(pattern, Origin::Bus);
        self.recorder.invalidation(scope(pattern), Origin::Bus);
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

    /// Overtakes every fill, and every entry that matches; the memory is reclaimed soon.
    fn drop_all(&self, pattern: Option<&Pattern>) {
        match pattern.map(|pattern| self.patterns.add(pattern, || self.fence.raise_tick())) {
            Some(Ok(number)) => {
                self.fence.overtake_all();
                self.patterns.settled(number);
                self.node.shared().reclaim_soon();
            }
            Some(Err(TooMany)) => {
                self.recorder.gaps.add(1);
                self.empty();
            }
            None => self.empty(),
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

/// A write that the source may have and this node does not know of yet. Where code that is not
/// ours panics, or the runtime is dropped, the older entry is dropped all the same, and where L2
/// may hold it, its invalidation waits for the next chance.
struct Unsettled<'a, K: Key, V: Value> {
    core: &'a Core<K, V>,
    key: &'a K,
    l2: Option<(&'a Keyspace, &'a String)>,
}

impl<K: Key, V: Value> Unsettled<'_, K, V> {
    fn settle(self) {
        std::mem::forget(self);
    }
}

impl<K: Key, V: Value> Drop for Unsettled<'_, K, V> {
    fn drop(&mut self) {
        if let Some((l2, text)) = self.l2 {
            l2.link.queue(l2.pending_key(text));
        }
        self.core.drop_key(self.key, Origin::Local);
    }
}

/// Waits for work that runs to its end whether or not somebody waits.
pub(crate) async fn to_its_end<T: Send + 'static>(running: JoinHandle<T>) -> Option<T> {
    match running.await {
        Ok(done) => Some(done),
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // The runtime is going down, and the process with it.
        Err(_) => None,
    }
}
