//! An entry before it is put into L1: its token, taken before L2 is asked, and its deadlines.

use std::sync::Arc;
use std::time::Duration;

use super::cache_core::Core;
use super::fence::Token;
use super::values::Loaded;
use crate::clock;
use crate::clock::Moment;
use crate::key::{Key, Value};
use crate::l1::{Entry, L1Value};
use crate::recorder::Label;

impl<K: Key, V: Value> Core<K, V> {
    /// An entry for L1. It stays fresh for as long as its time to live and its deadline in L2 both
    /// allow.
    pub(crate) fn entry(
        &self,
        fill_token: &FillToken<K>,
        value: Option<Arc<V>>,
        meta: &EntryMeta,
    ) -> Entry<V> {
        let (time_to_live, grace) = match value {
            Some(_) => {
                let jittered = clock::jittered(self.policy.time_to_live, self.policy.jitter);
                (jittered, self.policy.grace)
            }
            None => (self.policy.negative_time_to_live, Duration::ZERO),
        };
        let filled_at = Moment::now();
        let fresh_until = if meta.fresh_for.is_zero() {
            filled_at.before(meta.stale_for)
        } else {
            filled_at.after(meta.fresh_for.min(time_to_live))
        };
        Entry {
            weight: value.as_ref().map_or(1, |value| self.l1.weigh(&fill_token.key, value)),
            value: L1Value::new(value),
            loaded_at: filled_at.before(meta.age),
            filled_at,
            fresh_until,
            kept_until: fresh_until.after(grace),
            retry_at: None,
            soft: meta.soft,
            epoch: fill_token.token.epoch(),
            tick: fill_token.token.tick(),
            load_us: meta.load_us,
            version: meta.version,
            tags: self.tags.tagged(&meta.tags, fill_token.token.tick()),
            label: fill_token.label,
        }
    }

    /// How long a loaded value stays fresh in L2. `None` stands for "not found".
    pub(crate) fn l2_fresh_for<W>(&self, loaded: Option<&Loaded<W>>) -> Duration {
        let is_kept = self.l2.is_some() && self.policy.is_kept_in_l2();
        let l2_time_to_live = self.policy.l2_time_to_live.filter(|_| is_kept);
        let l2_time_to_live = l2_time_to_live.unwrap_or(clock::MAX_TIME_TO_LIVE);
        match loaded {
            Some(Loaded { time_to_live: Some(own), .. }) => (*own).min(clock::MAX_TIME_TO_LIVE),
            Some(_) => clock::jittered(l2_time_to_live, self.policy.jitter),
            None => self.policy.negative_time_to_live.min(l2_time_to_live),
        }
    }
}

/// The facts about a value: its age, deadlines, version and tags.
#[derive(Clone, Debug)]
pub(crate) struct EntryMeta {
    /// The time since it was loaded from the source.
    pub(crate) age: Duration,
    /// For how long L2 or the source still considers it fresh.
    pub(crate) fresh_for: Duration,
    /// For how long it has not been fresh, if it no longer is.
    pub(crate) stale_for: Duration,
    pub(crate) soft: bool,
    pub(crate) load_us: u32,
    pub(crate) version: u64,
    pub(crate) tags: Vec<Arc<str>>,
}

impl EntryMeta {
    /// A result fresh from the source; `None` stands for "not found".
    pub(crate) fn of<V>(loaded: Option<&Loaded<V>>, fresh_for: Duration, took: Duration) -> Self {
        Self {
            age: Duration::ZERO,
            fresh_for,
            stale_for: Duration::ZERO,
            soft: false,
            load_us: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
            version: loaded.map_or(0, |loaded| loaded.version),
            tags: loaded.map_or_else(Vec::new, |loaded| loaded.tags.clone()),
        }
    }
}

/// A key, and the token that its fill must still hold in the end. Taken before L2 is asked.
pub(crate) struct FillToken<K> {
    pub(crate) key: K,
    pub(crate) text: String,
    pub(crate) token: Token,
    /// The stamp that an entry in L2 will get.
    pub(crate) stamp: u64,
    pub(crate) label: Label,
}

impl<K: Key, V: Value> Core<K, V> {
    /// A token without the fence's part. The key's own code runs here. If it panics, no work has
    /// begun that others would wait for.
    pub(crate) fn fill_token(&self, key: &K) -> impl FnOnce(Token) -> FillToken<K> + use<K, V> {
        let stamp = self.node.shared().stamp();
        let (key, text, label) = (key.clone(), key.to_string(), self.label(key));
        move |token| FillToken { key, text, token, stamp, label }
    }
}
