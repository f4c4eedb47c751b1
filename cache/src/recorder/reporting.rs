use std::fmt::Display;
use std::hash::Hash;
use std::sync::atomic::Ordering::Relaxed;

use strata_report::{
    Ages, CacheEvents, CacheReport, Gets, InvalidationCounts, L1Report, Loads, Origin, Outcomes,
    Scope, ScopeCounts, Settings, TagsReport, What,
};

use super::cache_recorder::Recorder;
#[cfg(feature = "fleet")]
use super::events::{EventCursor, NewEvents};
use super::events::{Events, KeyNote};
use super::hot_keys::HotKeysRecorder;
use super::label::hash_of;
use super::sampling::SAMPLED_ONE_IN;
use super::settings::{L1Size, Removal};
use crate::clock::millis;
use crate::pattern::Pattern;

impl Recorder {
    pub(crate) fn report(&self, cache: &str, size: L1Size, settings: Settings) -> CacheReport {
        let outcomes = self.groups.outcomes();
        let keys = self.hot_keys.as_ref().map(HotKeysRecorder::read);
        let (hot_keys, missed_keys) = keys.unzip();
        let of_all_keys = outcomes.reads() - outcomes.bypassed;
        CacheReport {
            cache: cache.to_owned(),
            outcomes,
            l1: self.l1(size, outcomes),
            l2_gets: self.l2.read(1),
            l2_puts: self.l2_puts.get(),
            l2_refused: self.l2_refused.get(),
            l2_unreadable: self.l2_unreadable.get(),
            l2_unfit: self.l2_unfit.get(),
            panics: self.panics.get(),
            gaps: self.gaps.get(),
            tags: TagsReport::default(),
            loads: Loads {
                success: self.loads_ok.read(),
                failure: self.loads_failed.read(),
                in_flight: self.loads_in_flight.load(Relaxed),
                ..Loads::default()
            },
            invalidations: self.invalidations(),
            settings,
            l2_put_bytes: self.l2_put_bytes.read(),
            groups: self.groups.read(size.weight_bytes.is_some()),
            hot_keys,
            missed_keys,
            what_if: self.what_if.as_ref().and_then(|what_if| what_if.curve(of_all_keys)),
        }
    }

    fn l1(&self, size: L1Size, outcomes: Outcomes) -> L1Report {
        L1Report {
            entries: size.entries,
            entries_max: size.entries_max,
            weight_bytes: size.weight_bytes,
            weight_max_bytes: size.weight_max_bytes,
            // Every read except a bypassed one asks L1 exactly once, so its gets need no counters.
            gets: Gets {
                hit: outcomes.l1_hit,
                miss: outcomes.reads() - outcomes.l1_hit - outcomes.bypassed,
                latency: self.l1_latency.read(),
                sampled_one_in: SAMPLED_ONE_IN,
            },
            puts: self.l1_puts.get(),
            fenced: self.l1_fenced.get(),
            evictions: self.groups.evictions(),
            ages_ms: Ages::from_histograms(std::array::from_fn(|i| self.ages_ms[i].read())),
            put_bytes: size.weight_bytes.map(|_| self.l1_put_bytes.read()),
        }
    }

    fn invalidations(&self) -> InvalidationCounts {
        let scopes = |origin: Origin| {
            let of =
                |scope: Scope| self.invalidations[origin as usize][scope as usize].load(Relaxed);
            ScopeCounts {
                key: of(Scope::Key),
                pattern: of(Scope::Pattern),
                tag: of(Scope::Tag),
                all: of(Scope::All),
            }
        };
        InvalidationCounts {
            local: scopes(Origin::Local),
            bus: scopes(Origin::Bus),
            l1_removed: self.l1_removed.get(),
            l2_removed: self.l2_removed.get(),
        }
    }
}

impl Recorder {
    /// Records an event of a key.
    pub(crate) fn note<K: Hash + Display + ?Sized>(&self, key: &K, what: What) {
        if let Some(events) = &self.events
            && let Some(hash) = self.contain(|| hash_of(key))
        {
            let text = || self.text_of(|| key.to_string());
            events.key(KeyNote { hash, text }, what);
        }
    }

    /// Records that a key left L1.
    pub(crate) fn note_removal<K: Hash + Display + ?Sized>(&self, key: &K, removal: Removal) {
        self.note(key, What::Removed { cause: removal.cause, age_ms: removal.age.map(millis) });
    }

    /// Records that a key was invalidated.
    pub(crate) fn note_invalidation<K: Hash + Display + ?Sized>(&self, key: &K, origin: Origin) {
        self.note(key, What::Invalidated { scope: Scope::Key, origin, pattern: None });
    }

    /// Records that the keys matching a pattern were invalidated; all keys without a pattern.
    pub(crate) fn note_pattern(&self, pattern: Option<&Pattern>, origin: Origin) {
        let scope = if pattern.is_some() { Scope::Pattern } else { Scope::All };
        let pattern = pattern.map(|pattern| pattern.as_str().to_owned());
        if let Some(events) = &self.events {
            events.all(What::Invalidated { scope, origin, pattern });
        }
    }

    /// Records that a tag was invalidated.
    pub(crate) fn note_tag(&self, tag: &str, origin: Origin) {
        let pattern = Some(tag.to_owned());
        if let Some(events) = &self.events {
            events.all(What::Invalidated { scope: Scope::Tag, origin, pattern });
        }
    }

    pub(crate) fn events_after(&self, seq: u64) -> CacheEvents {
        self.events.as_ref().map(|events| events.after(seq)).unwrap_or_default()
    }

    /// What has happened to some keys, with their texts, since a cursor.
    #[cfg(feature = "fleet")]
    pub(crate) fn events_of_keys<K: Hash>(
        &self,
        keys: impl Iterator<Item = (K, String)>,
        after: Option<EventCursor>,
    ) -> NewEvents {
        let Some(events) = &self.events else { return NewEvents::default() };
        let keys = keys.map(|(key, text)| (hash_of(&key), text)).collect();
        events.of_keys(&keys, after)
    }

    pub(crate) fn events_of<K: Hash + Display + ?Sized>(&self, key: &K) -> CacheEvents {
        let of = |events: &Events| events.of(hash_of(key), &key.to_string());
        self.events.as_ref().map(of).unwrap_or_default()
    }
}
