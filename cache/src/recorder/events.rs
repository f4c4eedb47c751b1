#[cfg(feature = "fleet")]
use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Mutex;

use strata_report::{CacheEvents, Event, Scope, What};

use super::counters::Counter;
use crate::clock::now_ms;
use crate::pattern::Pattern;

/// The newest events of the keys of one cache on one node. Bounded. If two events come at the same
/// instant, one may be dropped, and is counted.
#[derive(Default)]
pub(crate) struct Events {
    newest: Mutex<EventRing>,
    dropped: Counter,
}

#[derive(Default)]
struct EventRing {
    last: u64,
    events: VecDeque<RecordedEvent>,
    /// The second in which texts are being stored, and how many.
    second: u64,
    n_texts: u32,
}

struct RecordedEvent {
    seq: u64,
    at_ms: u64,
    /// The key's hash; `None` if the event is about many keys.
    hash: Option<u64>,
    key: Option<String>,
    what: What,
}

/// Where a reader of some keys' events goes on.
#[cfg(feature = "fleet")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EventCursor {
    seq: u64,
    /// So many events were never kept until then.
    never_kept: u64,
}

/// What has happened to some keys since a cursor.
#[cfg(feature = "fleet")]
#[derive(Debug, Default)]
pub(crate) struct NewEvents {
    /// Oldest first. Those about many keys have no key.
    pub(crate) events: Vec<Event>,
    /// Where to go on.
    pub(crate) cursor: EventCursor,
    /// So many of the cache's events were forgotten or never kept meanwhile, of whatever key.
    pub(crate) missed: u64,
}

/// A key's hash, and a function for its text, which is called only if the text is stored.
pub(crate) struct KeyNote<F> {
    pub(crate) hash: u64,
    pub(crate) text: F,
}

impl Events {
    const KEPT: usize = 4_096;

    /// A text costs more than the rest of an event, so the number of texts per second is limited.
    const TEXTS_PER_SECOND: u32 = 100;

    pub(crate) fn key(&self, key: KeyNote<impl FnOnce() -> String>, what: What) {
        let Ok(mut newest) = self.newest.try_lock() else {
            return self.dropped.add(1);
        };
        let at_ms = now_ms();
        let text = newest.may_write_text(at_ms / 1_000).then(key.text);
        newest.push(RecordedEvent { seq: 0, at_ms, hash: Some(key.hash), key: text, what });
    }

    pub(crate) fn all(&self, what: What) {
        let Ok(mut newest) = self.newest.try_lock() else {
            return self.dropped.add(1);
        };
        newest.push(RecordedEvent { seq: 0, at_ms: now_ms(), hash: None, key: None, what });
    }

    /// The events after `seq` that are still kept.
    pub(crate) fn after(&self, seq: u64) -> CacheEvents {
        self.read(seq, |event| event.seq > seq)
    }

    /// The events of one key, by hash and text.
    pub(crate) fn of(&self, hash: u64, text: &str) -> CacheEvents {
        self.read(0, |event| match event.hash {
            Some(other) => other == hash,
            None => is_about(&event.what, text),
        })
    }

    /// What has happened to the keys, texts by hash, since the cursor: nothing without one. Reads
    /// once, so that nothing comes between one key and the next.
    #[cfg(feature = "fleet")]
    pub(crate) fn of_keys(
        &self,
        keys: &HashMap<u64, String>,
        after: Option<EventCursor>,
    ) -> NewEvents {
        let Ok(newest) = self.newest.lock() else { return NewEvents::default() };
        let cursor = EventCursor { seq: newest.last, never_kept: self.dropped.get() };
        let Some(after) = after else { return NewEvents { cursor, ..NewEvents::default() } };
        let oldest = newest.events.front().map_or(newest.last, |oldest| oldest.seq - 1);
        let new = newest.events.partition_point(|event| event.seq <= after.seq);
        let of_one = |event: &RecordedEvent| match event.hash {
            Some(hash) => keys.get(&hash).map(|text| event.of_key(Some(text.clone()))),
            None => Some(event.of_key(None)),
        };
        let mut events: Vec<_> = newest.events.range(new..).filter_map(of_one).collect();
        drop(newest);
        let is_of_any = |what: &What| keys.values().any(|text| is_about(what, text));
        events.retain(|event| event.key.is_some() || is_of_any(&event.what));
        let forgotten = oldest.saturating_sub(after.seq);
        let never_kept = cursor.never_kept.saturating_sub(after.never_kept);
        NewEvents { events, cursor, missed: forgotten + never_kept }
    }

    fn read(&self, after: u64, wanted: impl Fn(&RecordedEvent) -> bool) -> CacheEvents {
        // A reader of events may wait for the lock. Code that records events never waits.
        let Ok(newest) = self.newest.lock() else { return CacheEvents::default() };
        let oldest = newest.events.front();
        let forgotten = oldest.map_or(0, |oldest| (oldest.seq - 1).saturating_sub(after));
        CacheEvents {
            events: newest
                .events
                .iter()
                .filter(|event| wanted(event))
                .map(RecordedEvent::event)
                .collect(),
            last: newest.last,
            dropped: self.dropped.get() + forgotten,
            since_ms: oldest.map(|oldest| oldest.at_ms),
        }
    }
}

/// Whether an event about many keys is about this one.
pub(crate) fn is_about(what: &What, text: &str) -> bool {
    match what {
        // It is not known here which keys carry a tag.
        What::Invalidated { scope: Scope::Tag, .. } => false,
        What::Invalidated { pattern: Some(pattern), .. } => {
            Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(text))
        }
        _ => true,
    }
}

impl EventRing {
    fn push(&mut self, happened: RecordedEvent) {
        self.last += 1;
        if self.events.len() == Events::KEPT {
            self.events.pop_front();
        }
        self.events.push_back(RecordedEvent { seq: self.last, ..happened });
    }

    fn may_write_text(&mut self, second: u64) -> bool {
        if second != self.second {
            (self.second, self.n_texts) = (second, 0);
        }
        self.n_texts += 1;
        self.n_texts <= Events::TEXTS_PER_SECOND
    }
}

impl RecordedEvent {
    fn event(&self) -> Event {
        self.of_key(self.key.clone())
    }

    fn of_key(&self, key: Option<String>) -> Event {
        Event {
            seq: self.seq,
            at_ms: self.at_ms,
            node: String::new(),
            cache: String::new(),
            key,
            what: self.what.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use strata_report::Origin;

    use super::*;

    fn written(events: &Events, n: u64) {
        for hash in 0..n {
            events.key(KeyNote { hash, text: || hash.to_string() }, What::Written);
        }
    }

    #[test]
    fn the_newest_are_kept_and_what_is_forgotten_is_counted() {
        let events = Events::default();
        written(&events, 5_000);
        let all = events.after(0);
        assert_eq!((all.events.len(), all.last, all.dropped), (4_096, 5_000, 904));
        let newest = events.after(4_998);
        assert_eq!((newest.events.len(), newest.dropped), (2, 0));
        assert!(all.events.iter().filter(|event| event.key.is_some()).count() <= 300);
    }

    #[test]
    fn a_key_has_its_own_events_and_those_of_patterns_that_match_it() {
        let events = Events::default();
        written(&events, 10);
        for pattern in ["4*", "5*"] {
            let pattern = Some(pattern.to_owned());
            let (scope, origin) = (Scope::Pattern, Origin::Bus);
            events.all(What::Invalidated { scope, origin, pattern });
        }
        let of_4 = events.of(4, "4").events;
        assert_eq!(of_4.len(), 2);
        assert_eq!((of_4[0].key.as_deref(), &of_4[0].what), (Some("4"), &What::Written));
    }

    #[cfg(feature = "fleet")]
    #[test]
    fn some_keys_are_read_at_once_and_what_is_about_many_of_them_is_about_no_single_one() {
        let events = Events::default();
        let keys: HashMap<_, _> = [(4, "4".to_owned()), (5, "5".to_owned())].into();
        written(&events, 10);
        let begun = events.of_keys(&keys, None);
        assert!(begun.events.is_empty(), "what was before is asked for elsewhere");
        written(&events, 10);
        for (scope, pattern) in
            [(Scope::Pattern, Some("5*")), (Scope::Pattern, Some("6*")), (Scope::All, None)]
        {
            let (pattern, origin) = (pattern.map(str::to_owned), Origin::Bus);
            events.all(What::Invalidated { scope, origin, pattern });
        }
        let new = events.of_keys(&keys, Some(begun.cursor));
        let told: Vec<_> =
            new.events.iter().map(|event| (event.seq, event.key.as_deref())).collect();
        assert_eq!(told, [(15, Some("4")), (16, Some("5")), (21, None), (23, None)]);
        assert_eq!(new.missed, 0);
        assert!(events.of_keys(&keys, Some(new.cursor)).events.is_empty(), "each once");
    }

    #[cfg(feature = "fleet")]
    #[test]
    fn what_is_forgotten_between_two_reads_of_some_keys_is_counted() {
        let events = Events::default();
        let keys = HashMap::from([(4, "4".to_owned())]);
        let begun = events.of_keys(&keys, None).cursor;
        written(&events, 5_000);
        let new = events.of_keys(&keys, Some(begun));
        assert_eq!((new.events.len(), new.missed), (0, 904));
        assert_eq!(events.of_keys(&keys, Some(new.cursor)).missed, 0);
    }
}
