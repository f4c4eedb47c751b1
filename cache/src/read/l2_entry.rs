//! Entries of L2: decoding and encoding.

use std::sync::Arc;
use std::time::Duration;

use strata_report::Outcome;

use super::cache_core::Core;
use super::new_entry::EntryMeta;
use crate::clock;
use crate::codec::Unfit;
use crate::connection::Away;
use crate::error::ErrorChain;
use crate::key::{Key, Value};
use crate::l1::TagState;
use crate::l2::{
    EncodedEntry, Envelope, HEADER, L2Content, MAX_ENTRY_TAGS, MAX_KEY_BYTES, MAX_TAG_BYTES,
};
use crate::log::log_safely;

#[cfg(debug_assertions)]
use crate::codec::Encoded;

/// Debug builds verify this many values of a cache after encoding them, and then one in
/// `CHECKED_ONE_IN`.
#[cfg(debug_assertions)]
const ALL_CHECKED: u64 = 16;

#[cfg(debug_assertions)]
const CHECKED_ONE_IN: u64 = 64;

/// The first bytes of an entry.
pub(crate) type EntryHeader = [u8; HEADER];

/// A decoded entry of L2.
pub(crate) struct L2Entry<V> {
    pub(crate) value: Option<Arc<V>>,
    pub(crate) meta: EntryMeta,
    /// Its header, which shows later whether it is still there.
    pub(crate) head: EntryHeader,
    stamp: u64,
    tags: TagState,
}

impl<V> L2Entry<V> {
    pub(crate) fn is_fresh(&self) -> bool {
        !self.meta.soft && !self.meta.fresh_for.is_zero()
    }

    /// Whether a read may be answered with it without asking the source.
    pub(crate) fn is_usable(&self) -> bool {
        self.meta.soft || self.is_fresh()
    }

    pub(crate) fn outcome(&self) -> Outcome {
        if self.is_fresh() { Outcome::L2Hit } else { Outcome::Stale }
    }

    fn holds(&self) -> bool {
        self.tags == TagState::Holds
    }
}

impl<K: Key, V: Value> Core<K, V> {
    /// The content of L2 for the keys, unless the bus is silent. Takes one GET or MGET, timed, and
    /// one HMGET if this node does not know whether the tags of an entry hold. A fresh entry counts
    /// as a hit.
    pub(crate) async fn ask_l2(&self, texts: &[&str]) -> Result<Vec<Option<L2Entry<V>>>, Away> {
        let l2 = self.l2.as_ref().filter(|_| self.trusts_l2()).ok_or(Away)?;
        let began = std::time::Instant::now();
        let generation = self.tags.generation();
        let found = l2.get(texts).await?;
        self.recorder.l2.latency.record(began.elapsed());
        let read = |(text, found): (&&str, _)| match found {
            L2Content::Bytes(bytes) => self.decode(text, &bytes),
            L2Content::Nothing | L2Content::Leased(_) => None,
        };
        let mut held: Vec<_> = texts.iter().zip(found).map(read).collect();
        self.ask_tags(&mut held, generation).await;
        for held in &mut held {
            *held = held.take().filter(L2Entry::holds);
            let hit = held.as_ref().is_some_and(L2Entry::is_fresh);
            if hit { &self.recorder.l2.hit } else { &self.recorder.l2.miss }.add(1);
        }
        Ok(held)
    }

    /// Asks Redis about tags that this node knows nothing of.
    async fn ask_tags(&self, held: &mut [Option<L2Entry<V>>], generation: u64) {
        let unknown = |held: &L2Entry<V>| held.tags == TagState::Unknown;
        let names: Vec<Arc<str>> = (held.iter().flatten().filter(|held| unknown(held)))
            .flat_map(|held| held.meta.tags.iter().cloned())
            .collect();
        let Some(l2) = self.l2.as_ref().filter(|_| !names.is_empty()) else { return };
        let Ok(numbers) = l2.tags(&names).await else { return };
        let mut asked = names.into_iter().zip(numbers);
        let mut learned = Vec::new();
        for held in held.iter_mut().flatten().filter(|held| unknown(held)) {
            let own: Vec<_> = asked.by_ref().take(held.meta.tags.len()).collect();
            let holds = own.iter().all(|(_, number)| *number <= held.stamp);
            held.tags = if holds { TagState::Holds } else { TagState::Overtaken };
            learned.extend(own.into_iter().filter(|(_, number)| *number < u64::MAX));
        }
        self.tags.learn(generation, &learned);
    }

    /// Decodes an entry, unless it is invalid or a tag has overtaken it. Fails if only Redis knows
    /// about its tags and cannot be asked.
    pub(crate) async fn read_back(
        &self,
        text: &str,
        bytes: &[u8],
    ) -> Result<Option<L2Entry<V>>, Away> {
        let generation = self.tags.generation();
        let mut held = [self.decode(text, bytes)];
        self.ask_tags(&mut held, generation).await;
        let [held] = held;
        match held {
            Some(held) if held.tags == TagState::Unknown => Err(Away),
            held => Ok(held.filter(L2Entry::holds)),
        }
    }

    fn decode(&self, text: &str, bytes: &[u8]) -> Option<L2Entry<V>> {
        let decoded = Envelope::decode(bytes, text, self.policy.schema).ok().and_then(|envelope| {
            let value = match envelope.value {
                Some((flags, value)) => {
                    let read = || self.policy.form.read::<V>(flags, value);
                    Some(self.recorder.contain(read).flatten()?)
                }
                None => None,
            };
            Some((value.map(Arc::new), envelope))
        });
        let Some((value, envelope)) = decoded else {
            self.recorder.l2_unreadable.add(1);
            return None;
        };
        let now_ms = self.redis_now_ms();
        if !self.counts(&envelope, now_ms) {
            return None;
        }
        let (head, _) = bytes.split_first_chunk()?;
        let head = *head;
        let soft = envelope.fresh_until_ms == 0;
        let stale_ms = if soft { 0 } else { now_ms.saturating_sub(envelope.fresh_until_ms) };
        let tags: Vec<Arc<str>> = envelope.tags.into_iter().map(Arc::from).collect();
        let meta = EntryMeta {
            // Never zero: clocks agree to a millisecond or two, and the value was loaded before it
            // was read.
            age: Duration::from_millis(now_ms.saturating_sub(envelope.created_ms))
                .max(Duration::from_micros(1)),
            // Redis's clock may have been set back, so this is limited to the full time of
            // freshness.
            fresh_for: Duration::from_millis(
                envelope.fresh_until_ms.saturating_sub(now_ms.max(envelope.created_ms)),
            ),
            stale_for: Duration::from_millis(stale_ms),
            soft,
            load_us: envelope.load_us,
            version: envelope.version,
            tags,
        };
        let tags = self.tags.judge(
            &meta.tags,
            envelope.stamp,
            self.node.shared().bus_reader().heard_since(),
        );
        Some(L2Entry { value, meta, head, stamp: envelope.stamp, tags })
    }

    fn tell_unfit(&self, error: &Unfit) {
        let cause = match error {
            Unfit::Json(_) => "unfit: JSON",
            Unfit::Postcard(_) => "unfit: postcard",
            Unfit::Panicked => "unfit: panicked",
            // The limit is a setting, so this needs no log.
            Unfit::TooLong(_) => return,
        };
        if let Some(times) = self.log.due(cause) {
            let (cache, error) = (&*self.name, ErrorChain(error));
            log_safely(|| tracing::warn!(cache, %error, times, "a value is not kept in L2"));
        }
    }

    /// Decodes some values after encoding them, and logs a value that changed.
    #[cfg(debug_assertions)]
    fn check_codec(&self, value: &V, encoded: &Encoded) {
        let n_before = self.n_encoded.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let is_sampled = n_before < ALL_CHECKED || n_before.is_multiple_of(CHECKED_ONE_IN);
        if !is_sampled || self.policy.form.gives_back(value, encoded) {
            return;
        }
        if let Some(times) = self.log.due("codec") {
            let cache = &*self.name;
            log_safely(|| {
                tracing::warn!(
                    cache,
                    times,
                    "a value does not read back from L2 as it was; see Codec"
                );
            });
        }
    }

    /// Whether an entry counts. Redis has a deadline of its own; this one also holds if that was
    /// removed. Entries of an older run of Redis may be older than changes acknowledged since.
    pub(crate) fn counts(&self, envelope: &Envelope<'_>, now_ms: u64) -> bool {
        let floor = self.l2.as_ref().map_or(0, |l2| l2.link.floor());
        now_ms < envelope.expires_ms && envelope.stamp >= floor
    }

    /// An entry for L2; `None` if it has no lifetime there or cannot be stored. `stamp` is
    /// `Shared::stamp` before the load began.
    pub(crate) fn encode(
        &self,
        text: &str,
        value: Option<&V>,
        meta: &EntryMeta,
        stamp: u64,
    ) -> Option<EncodedEntry> {
        let grace = value.map_or(Duration::ZERO, |_| self.policy.grace);
        let ttl_ms = clock::millis(meta.fresh_for.saturating_add(grace));
        if ttl_ms == 0 || !self.policy.is_kept_in_l2() {
            return None;
        }
        let encoded = match value.map(|value| self.policy.form.encode(value)).transpose() {
            Ok(encoded) if fits(text, &meta.tags) => encoded,
            unfit => {
                self.recorder.l2_unfit.add(1);
                self.recorder.panics.add(u64::from(matches!(unfit, Err(Unfit::Panicked))));
                if let Err(error) = unfit {
                    self.tell_unfit(&error);
                }
                return None;
            }
        };
        #[cfg(debug_assertions)]
        if let (Some(value), Some(encoded)) = (value, &encoded) {
            self.check_codec(value, encoded);
        }
        let created_ms = self.redis_now_ms();
        let envelope = Envelope {
            schema: self.policy.schema,
            created_ms,
            fresh_until_ms: created_ms.saturating_add(clock::millis(meta.fresh_for)).max(1),
            expires_ms: created_ms.saturating_add(ttl_ms),
            load_us: meta.load_us,
            version: meta.version,
            stamp,
            tags: meta.tags.iter().map(|tag| &**tag).collect(),
            value: encoded.as_ref().map(|encoded| (encoded.flags, encoded.bytes.as_slice())),
        };
        let bytes = envelope.encode(text);
        self.recorder.l2_put_bytes.record(bytes.len() as u64);
        Some(EncodedEntry { bytes, ttl_ms, stamp, tags: meta.tags.clone() })
    }
}

fn fits(text: &str, tags: &[Arc<str>]) -> bool {
    text.len() <= MAX_KEY_BYTES
        && tags.len() <= MAX_ENTRY_TAGS
        && tags.iter().all(|tag| tag.len() <= MAX_TAG_BYTES)
}
