//! A cache as its node and consoles see it: keys as text, and looks that disturb nothing.

use std::collections::HashSet;
use std::sync::Arc;

use strata_report::{CacheReport, Effect, EntryLook, KeyRow, L2Look, Origin};

use crate::bus::Message;
use crate::clock::{Moment, millis};
use crate::error::CacheError;
use crate::key::{Key, Value};
use crate::l1::{Capacity, Entry, L1List, L1Survey, TagState};
use crate::l2::{Envelope, Keyspace, L2Content, Progress};
use crate::node::DynCache;
use crate::pattern::Pattern;
use crate::read::{Core, Freshness, to_its_end};
use crate::recorder::CacheEvents;
#[cfg(feature = "fleet")]
use crate::recorder::{EventCursor, NewEvents};
use crate::target::Target;
use crate::user_code::BoxFuture;

impl<K: Key, V: Value> DynCache for Core<K, V> {
    fn name(&self) -> &str {
        &self.name
    }

    fn report(&self) -> CacheReport {
        self.numbers()
    }

    fn upkeep(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            Self::l1_upkeep(&self).await;
            self.recorder.upkeep(self.l1.size()).await;
        })
    }

    fn has_to_reclaim(&self) -> bool {
        Self::has_to_reclaim(self)
    }

    fn reclaim(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.reclaim_l1().await;
            if Arc::strong_count(&self) == 1 {
                // This is the last handle, and dropping a large L1 takes long.
                tokio::task::spawn_blocking(move || drop(self));
            }
        })
    }

    fn on_message(&self, message: &Message) {
        self.apply_message(message);
    }

    fn raise_epoch(&self) {
        // This comes first, so that a read of L2 in the new epoch asks Redis about tags.
        self.tags.forget_sequences();
        self.empty();
    }

    fn on_gap(&self) {
        self.raise_epoch();
        self.recorder.gaps.add(1);
    }

    fn tag_told(&self, tag: &str, sequence: u64) {
        self.tags.heard(tag, sequence);
    }

    fn keyspace(&self) -> Option<&Keyspace> {
        self.l2.as_ref()
    }

    fn shown(&self, value: String) -> Option<String> {
        self.policy.visibility.shown(&self.recorder, value)
    }

    fn look_l1<'a>(&'a self, key: &str) -> Result<BoxFuture<'a, Option<EntryLook>>, CacheError> {
        let key = self.key(key)?;
        Ok(Box::pin(async move {
            let now = Moment::now();
            let is_there = |entry: &Entry<V>| entry.is_kept(now) && !self.is_overtaken(&key, entry);
            let entry = self.l1.peek(&key).await.filter(is_there);
            entry.map(|entry| self.look_at(&key, &entry))
        }))
    }

    fn look_l2(
        self: Arc<Self>,
        key: &str,
    ) -> Result<BoxFuture<'static, Option<L2Look>>, CacheError> {
        let text = self.key(key)?.to_string();
        Ok(Box::pin(async move {
            let found = self.l2.as_ref()?.inspect(&text).await.ok()?;
            Some(match found {
                L2Content::Nothing => L2Look::Absent,
                L2Content::Leased(_) => L2Look::Leased,
                L2Content::Bytes(bytes) => self.look_at_bytes(&bytes, &text),
            })
        }))
    }

    fn match_l1<'a>(
        &'a self,
        pattern: &'a Pattern,
        limit: usize,
    ) -> BoxFuture<'a, (u64, Vec<String>)> {
        Box::pin(self.matching(pattern, limit))
    }

    fn list_l1<'a>(&'a self, list: &'a L1List<'_>) -> BoxFuture<'a, (u64, Vec<KeyRow>)> {
        Box::pin(self.list(list))
    }

    fn among_l1<'a>(&'a self, keys: &'a HashSet<&str>) -> BoxFuture<'a, Vec<KeyRow>> {
        Box::pin(self.among(keys))
    }

    fn survey_l1(&self) -> BoxFuture<'_, L1Survey> {
        Box::pin(self.survey())
    }

    fn group_of(&self, key: &str) -> Option<String> {
        let key = self.key(key).ok()?;
        self.recorder.group_name(self.label(&key))
    }

    fn events_after(&self, seq: u64) -> CacheEvents {
        self.recorder.events_after(seq)
    }

    #[cfg(feature = "fleet")]
    fn events_of_keys(&self, keys: &[String], after: Option<EventCursor>) -> NewEvents {
        let keys = keys.iter().filter_map(|text| Some((self.key(text).ok()?, text.clone())));
        self.recorder.events_of_keys(keys, after)
    }

    fn events_of(&self, key: &str) -> CacheEvents {
        self.key(key).map(|key| self.recorder.events_of(&key)).unwrap_or_default()
    }

    fn drop_text(&self, key: &str) -> Result<bool, CacheError> {
        let key = self.key(key)?;
        let was_there =
            self.l1.get_if_present(&key).is_some_and(|entry| entry.is_kept(Moment::now()));
        self.drop_key(&key, Origin::Local);
        Ok(was_there)
    }

    fn mark_stale_text(
        self: Arc<Self>,
        key: &str,
    ) -> Result<BoxFuture<'static, Effect>, CacheError> {
        let key = self.key(key)?;
        Ok(Box::pin(async move {
            to_its_end(tokio::spawn(self.mark_stale(key))).await.unwrap_or(Effect::Queued)
        }))
    }

    fn invalidate(
        self: Arc<Self>,
        target: Target,
        progress: Arc<Progress>,
    ) -> Result<BoxFuture<'static, Effect>, CacheError> {
        let invalidating: BoxFuture<'static, Effect> = match target {
            Target::Key(text) => Box::pin(Arc::clone(&self).invalidate(vec![self.key(&text)?])),
            Target::Pattern(pattern) => Box::pin(self.invalidate_all(Some(pattern), progress)),
            Target::Tag(tag) => Box::pin(self.invalidate_tag(tag)),
            Target::All => Box::pin(self.invalidate_all(None, progress)),
        };
        Ok(Box::pin(async move {
            to_its_end(tokio::spawn(invalidating)).await.unwrap_or(Effect::Queued)
        }))
    }
}

impl<K: Key, V: Value> Core<K, V> {
    async fn l1_upkeep(self: &Arc<Self>) {
        let core = Arc::clone(self);
        let upkeep = move || core.recorder.contain(|| core.l1.upkeep());
        if !self.l1.is_idled {
            upkeep();
            return;
        }
        // moka evicts all idle entries at once, which may block for long.
        let _: Result<_, _> = tokio::task::spawn_blocking(upkeep).await;
    }

    fn key(&self, text: &str) -> Result<K, CacheError> {
        let bad = || CacheError::BadKey { cache: self.name.clone(), key: text.to_owned() };
        text.parse().map_err(|_| bad())
    }

    fn look_at(&self, key: &K, entry: &Entry<V>) -> EntryLook {
        let now = Moment::now();
        let json = |value: &Arc<V>| serde_json::to_string_pretty(&**value).unwrap_or_default();
        EntryLook {
            value_hidden: false,
            value: entry.value.get().map(json),
            fresh: self.is_fresh(key, entry),
            served_stale: matches!(
                self.freshness(key, entry, now),
                Freshness::Soft | Freshness::Failing
            ),
            age_ms: millis(now.since(entry.loaded_at)),
            expires_in_ms: Some(millis(entry.fresh_until.since(now))),
            version: (entry.version > 0).then_some(entry.version),
            tags: entry.tags.iter().flat_map(|tags| tags.names()).map(str::to_owned).collect(),
            bytes: match self.l1.capacity() {
                Capacity::Entries(_) => None,
                Capacity::Weight { .. } => Some(u64::from(entry.weight)),
            },
        }
    }

    fn look_at_bytes(&self, bytes: &[u8], key: &str) -> L2Look {
        let Ok(envelope) = Envelope::decode(bytes, key, self.policy.schema) else {
            return L2Look::Unreadable;
        };
        let now_ms = self.redis_now_ms();
        if !self.counts(&envelope, now_ms) {
            return L2Look::Unreadable;
        }
        let tags: Vec<Arc<str>> = envelope.tags.iter().map(|tag| Arc::from(*tag)).collect();
        let since = self.node.shared().bus_reader().heard_since();
        let is_overtaken = self.tags.judge(&tags, envelope.stamp, since) == TagState::Overtaken;
        let value = match envelope.value {
            None => None,
            Some((flags, value)) => match self.policy.form.decode::<V>(flags, value) {
                Some(value) => Some(serde_json::to_string_pretty(&value).unwrap_or_default()),
                None => return L2Look::Unreadable,
            },
        };
        L2Look::Entry(EntryLook {
            value_hidden: false,
            value,
            fresh: envelope.fresh_until_ms > now_ms && !is_overtaken,
            served_stale: envelope.fresh_until_ms == 0 && !is_overtaken,
            age_ms: now_ms.saturating_sub(envelope.created_ms),
            expires_in_ms: Some(envelope.fresh_until_ms.saturating_sub(now_ms)),
            version: (envelope.version > 0).then_some(envelope.version),
            tags: envelope.tags.iter().map(|tag| (*tag).to_owned()).collect(),
            bytes: Some(bytes.len() as u64),
        })
    }
}
