//! Writes through the cache to the source.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use strata_report::{Effect, Origin, Scope};

use crate::key::{Key, Value};
use crate::l2::{EncodedEntry, Keyspace, Lease};
use crate::read::{Core, EntryMeta, FillToken, Leases, Loaded};
use crate::target::Target;
use crate::user_code::caught;

impl<K: Key, V: Value> Core<K, V> {
    /// Runs a write and puts its value into both levels. If another write or an invalidation came
    /// in between, the key is invalidated instead.
    ///
    /// The lease is taken before the write, so every change of the key meanwhile takes the lease
    /// away.
    pub(crate) async fn write<E>(
        self: Arc<Self>,
        key: K,
        write: impl Future<Output = Result<Loaded<V>, E>>,
    ) -> Result<(Arc<V>, Effect), E> {
        let token = self.fence.token(&key);
        let fill_token = self.fill_token(&key)(token);
        let FillToken { key, text, stamp, .. } = &fill_token;
        let is_odd = self.l2.is_some() && self.is_odd(key, text);
        self.overtake_unwritten(|| vec![Target::key(text)]);
        let lease = Lease::of_write();
        let mut unsettled =
            UnsettledWrite { core: &self, key, l2: self.l2.as_ref().zip(Some(text)) };
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
            // The source may have committed all the same, and only the answer was lost.
            Ok(Err(error)) => {
                Arc::clone(&self).invalidate(vec![key.clone()]).await;
                unsettled.disarm();
                return Err(error);
            }
            Err(panic) => {
                Arc::clone(&self).invalidate(vec![key.clone()]).await;
                unsettled.disarm();
                resume_unwind(panic);
            }
        };
        let meta = EntryMeta::of(Some(&loaded), self.l2_fresh_for(Some(&loaded)), Duration::ZERO);
        let value = Arc::new(loaded.value);
        let (effect, kept) = match &self.l2 {
            None => (Effect::Off, true),
            Some(l2) => {
                let written = self.encode(text, Some(&value), &meta, *stamp);
                let written = leased.then(|| written.unwrap_or_else(EncodedEntry::nothing));
                let replaced = self.replace(l2, (text, &lease), written).await;
                self.announce_odd(is_odd).await;
                replaced
            }
        };
        unsettled.l2 = None;
        let entry = self.entry(&fill_token, Some(Arc::clone(&value)), &meta);
        let stored = kept && self.fence.fill_and_overtake(key, token, || self.put_l1(key, &entry));
        unsettled.disarm();
        if !stored {
            self.drop_key(key, Origin::Local);
        } else {
            self.recorder.written(entry.label, entry.weight);
            self.recorder.invalidation(Scope::Key, Origin::Local);
        }
        Ok((value, effect))
    }

    /// Writes to L2 if the lease is still held, else invalidates. Returns the effect, and whether
    /// nothing came in between.
    async fn replace(
        &self,
        l2: &Keyspace,
        (text, lease): (&str, &Lease),
        entry: Option<EncodedEntry>,
    ) -> (Effect, bool) {
        let is_nothing = entry.as_ref().is_some_and(EncodedEntry::is_nothing);
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
        // It is unknown whether the write arrived, and therefore what L2 holds now.
        (self.effect(l2.remove(&[text.to_owned()]).await), false)
    }
}

/// A write that the source may have committed and that the caches do not reflect yet. If code of
/// keys or values panics, or the runtime is dropped, it drops the older entry on this node. If L2
/// may hold the entry, it queues its invalidation.
struct UnsettledWrite<'a, K: Key, V: Value> {
    core: &'a Core<K, V>,
    key: &'a K,
    l2: Option<(&'a Keyspace, &'a String)>,
}

impl<K: Key, V: Value> UnsettledWrite<'_, K, V> {
    fn disarm(self) {
        std::mem::forget(self);
    }
}

impl<K: Key, V: Value> Drop for UnsettledWrite<'_, K, V> {
    fn drop(&mut self) {
        if let Some((l2, text)) = self.l2 {
            l2.link.queue(l2.pending(Target::key(text)));
        }
        self.core.drop_key(self.key, Origin::Local);
    }
}
