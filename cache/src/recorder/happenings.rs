use std::fmt::Display;
use std::hash::Hash;

use strata_report::{Origin, Scope, What};

use super::bounds::Removal;
use super::cache_recorder::Recorder;
use super::events::{CacheEvents, KeyNote};
use super::label::hash_of;
use crate::clock::millis;
use crate::pattern::Pattern;

impl Recorder {
    /// A key that something happened to.
    pub(crate) fn note<K: Hash + Display + ?Sized>(&self, key: &K, what: What) {
        if let Some(events) = &self.events
            && let Some(hash) = self.contain(|| hash_of(key))
        {
            let text = || self.text_of(|| key.to_string());
            events.key(KeyNote { hash, text }, what);
        }
    }

    /// A key that left L1.
    pub(crate) fn note_removal<K: Hash + Display + ?Sized>(&self, key: &K, removal: Removal) {
        self.note(key, What::Removed { cause: removal.cause, age_ms: removal.age.map(millis) });
    }

    /// A key that was invalidated.
    pub(crate) fn note_invalidation<K: Hash + Display + ?Sized>(&self, key: &K, origin: Origin) {
        self.note(key, What::Invalidated { scope: Scope::Key, origin, pattern: None });
    }

    /// Keys that were invalidated together; all without a pattern.
    pub(crate) fn note_pattern(&self, pattern: Option<&Pattern>, origin: Origin) {
        let scope = if pattern.is_some() { Scope::Pattern } else { Scope::All };
        let pattern = pattern.map(|pattern| pattern.as_str().to_owned());
        if let Some(events) = &self.events {
            events.all(What::Invalidated { scope, origin, pattern });
        }
    }

    /// A tag that was invalidated.
    pub(crate) fn note_tag(&self, tag: &str, origin: Origin) {
        let pattern = Some(tag.to_owned());
        if let Some(events) = &self.events {
            events.all(What::Invalidated { scope: Scope::Tag, origin, pattern });
        }
    }

    pub(crate) fn events_after(&self, seq: u64) -> CacheEvents {
        self.events.as_ref().map(|events| events.after(seq)).unwrap_or_default()
    }

    pub(crate) fn events_of<K: Hash + Display + ?Sized>(&self, key: &K) -> CacheEvents {
        let of = |events: &super::Events| events.of(hash_of(key), &key.to_string());
        self.events.as_ref().map(of).unwrap_or_default()
    }
}
