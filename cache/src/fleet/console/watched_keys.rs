//! Keys that somebody looks at, and what nodes tell of them meanwhile.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_report::{CacheEvents, Event, EventRequest, FLEET_PROTOCOL, NodeEvents, NodeId};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::recorder::is_about;

/// So many keys are watched at a time: those that were looked at last.
const MOST_KEYS: usize = 8;

/// On so many nodes.
const MOST_NODES: usize = 16;

/// So many events of one cache on one node are kept.
const KEPT: usize = 1_000;

/// So many of one message are taken: no node sends more.
const MAX_TAKEN: usize = 200;

/// A longer key is not watched, bytes: what is wanted of all of them has to fit into one message.
const MAX_KEY_BYTES: usize = 1_024;

/// No key is watched for longer.
const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// The keys that are watched.
#[derive(Default)]
pub(super) struct WatchedKeys {
    state: Mutex<State>,
    /// Another key is watched.
    pub(super) begun: Notify,
}

#[derive(Default)]
struct State {
    /// Those that were looked at last come last.
    keys: Vec<WatchedKey>,
    /// By node and cache.
    streams: HashMap<(NodeId, String), EventStream>,
    /// How many events were taken, which numbers them: it goes on where a node starts anew.
    n_taken: u64,
}

struct WatchedKey {
    cache: String,
    key: String,
    nodes: Vec<NodeId>,
    until: Instant,
}

/// What a node has told of a cache.
#[derive(Default)]
struct EventStream {
    run: String,
    /// The number of the last event by that run's count.
    last_of_run: u64,
    /// By the console's count.
    events: VecDeque<Event>,
    last: u64,
    dropped: u64,
}

impl WatchedKey {
    fn is_at(&self, node: &NodeId, cache: &str) -> bool {
        self.cache == cache && self.nodes.contains(node)
    }

    fn is_meant(&self, event: &Event) -> bool {
        match &event.key {
            Some(key) => *key == self.key,
            None => is_about(&event.what, &self.key),
        }
    }
}

impl WatchedKeys {
    /// Watches a key for a time, or longer where it is watched already.
    pub(super) fn watch(&self, (cache, key): (&str, &str), nodes: &[NodeId], span: Duration) {
        if key.len() > MAX_KEY_BYTES {
            return;
        }
        let now = Instant::now();
        let nodes = &nodes[..nodes.len().min(MOST_NODES)];
        let mut state = self.state();
        state.keys.retain(|known| known.until > now);
        let is_same = |known: &WatchedKey| (&*known.cache, &*known.key) == (cache, key);
        let known = state.keys.iter().position(is_same).map(|at| state.keys.remove(at));
        let excess = (state.keys.len() + 1).saturating_sub(MOST_KEYS);
        state.keys.drain(..excess);
        state.keys.push(WatchedKey {
            cache: cache.to_owned(),
            key: key.to_owned(),
            nodes: nodes.to_vec(),
            until: now + span.min(LONGEST),
        });
        let State { keys, streams, .. } = &mut *state;
        streams.retain(|(node, cache), _| is_of(keys, node, cache));
        // What is wanted already is said again in time.
        if known.is_none_or(|known| known.nodes != nodes) {
            self.begun.notify_one();
        }
    }

    /// Whether anything is watched now.
    pub(super) fn has_any(&self) -> bool {
        let now = Instant::now();
        self.state().keys.iter().any(|watched| watched.until > now)
    }

    /// What is wanted of nodes now, the newest last.
    pub(super) fn wanted(&self) -> Vec<EventRequest> {
        let now = Instant::now();
        let state = self.state();
        let watched = state.keys.iter().filter(|watched| watched.until > now);
        let wanted = watched.map(|watched| EventRequest {
            cache: watched.cache.clone(),
            nodes: watched.nodes.clone(),
            keys: vec![watched.key.clone()],
            signature: String::new(),
        });
        wanted.collect()
    }

    /// Takes note of what a node sends, as far as that was asked for: whoever can write to Redis may
    /// have sent it.
    pub(super) fn take(&self, sent: NodeEvents) {
        let NodeEvents { protocol, node, run, cache, mut events, mut dropped, .. } = sent;
        let now = Instant::now();
        let mut state = self.state();
        let State { keys, streams, n_taken } = &mut *state;
        let asked = keys.iter().filter(|watched| watched.until > now);
        let asked: Vec<_> = asked.filter(|watched| watched.is_at(&node, &cache)).collect();
        if asked.is_empty() || protocol > FLEET_PROTOCOL {
            return;
        }
        let stream = streams.entry((node.clone(), cache.clone())).or_default();
        if stream.run != run {
            (stream.run, stream.last_of_run) = (run, 0);
        }
        let excess = events.len().saturating_sub(MAX_TAKEN);
        dropped = dropped.saturating_add(excess as u64);
        let is_asked = |event: &Event| asked.iter().any(|watched| watched.is_meant(event));
        for event in events.drain(excess..).filter(is_asked) {
            // What was sent again is known.
            if event.seq > stream.last_of_run {
                stream.last_of_run = event.seq;
                *n_taken += 1;
                stream.last = *n_taken;
                let (seq, node, cache) = (*n_taken, node.clone(), cache.clone());
                stream.events.push_back(Event { seq, node, cache, ..event });
            }
        }
        stream.dropped = stream.dropped.saturating_add(dropped);
        let excess = stream.events.len().saturating_sub(KEPT);
        stream.events.drain(..excess);
    }

    /// What a node has told of a cache after a place by the console's own count, which goes on over
    /// the node's runs.
    pub(super) fn after(&self, (node, cache): (&str, &str), seq: u64) -> CacheEvents {
        let state = self.state();
        let Some(stream) = state.streams.get(&(node.to_owned(), cache.to_owned())) else {
            return CacheEvents { last: seq, ..CacheEvents::default() };
        };
        CacheEvents {
            events: stream.events.iter().filter(|event| event.seq > seq).cloned().collect(),
            last: stream.last.max(seq),
            dropped: stream.dropped,
            since_ms: stream.events.front().map(|event| event.at_ms),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a node was asked to tell of a cache.
fn is_of(keys: &[WatchedKey], node: &NodeId, cache: &str) -> bool {
    keys.iter().any(|watched| watched.is_at(node, cache))
}

#[cfg(test)]
mod tests {
    use strata_report::{Origin, Scope, What};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn told(run: &str, seqs: impl IntoIterator<Item = u64>) -> NodeEvents {
        let event = |seq| Event {
            seq,
            at_ms: 7,
            node: "another".to_owned(),
            cache: String::new(),
            key: Some("1".to_owned()),
            what: What::Loaded { took_us: 1 },
        };
        let events: Vec<_> = seqs.into_iter().map(event).collect();
        NodeEvents {
            node: "pod-1".to_owned(),
            run: run.to_owned(),
            cache: "users".to_owned(),
            last: events.last().map_or(0, |event| event.seq),
            events,
            ..NodeEvents::default()
        }
    }

    fn seqs(keys: &WatchedKeys, after: u64) -> Vec<u64> {
        keys.after(("pod-1", "users"), after).events.iter().map(|event| event.seq).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_node_tells_counts_once_from_where_it_was_read_and_of_its_present_run() {
        let keys = WatchedKeys::default();
        keys.take(told("a", [1]));
        assert!(seqs(&keys, 0).is_empty(), "nobody wanted it");
        keys.watch(("users", "1"), &["pod-1".to_owned()], MINUTE);
        keys.take(told("a", [2, 3]));
        keys.take(told("a", [3, 5]));
        assert_eq!((seqs(&keys, 0), seqs(&keys, 2)), (vec![1, 2, 3], vec![3]));
        assert_eq!(keys.after(("pod-1", "users"), 0).events[0].node, "pod-1");
        keys.take(told("b", [1]));
        assert_eq!(seqs(&keys, 3), [4], "another run counts anew, and the console goes on");
        for n in 0..25 {
            keys.take(told("b", 200 * n + 2..200 * n + 202));
        }
        assert_eq!(seqs(&keys, 0).len(), KEPT);
        let last = keys.after(("pod-1", "users"), 0).last;
        keys.watch(("posts", "1"), &["pod-1".to_owned()], MINUTE * 3);
        tokio::time::advance(MINUTE * 2).await;
        keys.watch(("posts", "1"), &["pod-1".to_owned()], MINUTE);
        assert!(seqs(&keys, 0).is_empty(), "nobody looks any more");
        keys.watch(("users", "1"), &["pod-1".to_owned()], MINUTE);
        keys.take(told("b", [9_000]));
        assert_eq!(seqs(&keys, last), [last + 1], "who has read on misses nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_was_asked_for_is_taken_and_no_flood_of_it() {
        let keys = WatchedKeys::default();
        keys.watch(("users", "1"), &["pod-1".to_owned()], MINUTE);
        let of = |seq, key: Option<&str>, what| Event {
            key: key.map(str::to_owned),
            what,
            ..told("a", [seq]).events.remove(0)
        };
        let pattern = |pattern: Option<&str>| What::Invalidated {
            scope: if pattern.is_some() { Scope::Pattern } else { Scope::All },
            origin: Origin::Bus,
            pattern: pattern.map(str::to_owned),
        };
        let events = vec![
            of(1, Some("2"), What::Written),
            of(2, None, pattern(Some("1*"))),
            of(3, None, pattern(Some("2*"))),
            of(4, None, pattern(None)),
        ];
        // Its place is no reason to ignore what comes later.
        let last = u64::MAX;
        keys.take(NodeEvents { events, last, dropped: u64::MAX, ..told("a", []) });
        let taken = keys.after(("pod-1", "users"), 0);
        assert_eq!(taken.events.len(), 2, "{taken:?}");
        keys.take(NodeEvents { protocol: FLEET_PROTOCOL + 1, ..told("a", [5]) });
        keys.take(told("a", 10..1_010));
        let taken = keys.after(("pod-1", "users"), 2);
        assert_eq!((taken.events.len(), taken.dropped), (MAX_TAKEN, u64::MAX));
        tokio::time::advance(MINUTE).await;
        keys.take(told("a", [2_000]));
        assert_eq!(seqs(&keys, taken.last).len(), 0, "its minute is over");
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_is_long_ends_no_other_and_one_that_is_known_is_not_said_at_once() {
        let keys = WatchedKeys::default();
        let nodes = ["pod-1".to_owned()];
        keys.watch(("users", "1"), &nodes, MINUTE);
        keys.begun.notified().await;
        keys.watch(("users", &"x".repeat(16 * 1_024)), &nodes, MINUTE);
        keys.watch(("users", "1"), &nodes, Duration::MAX);
        assert_eq!(keys.wanted().len(), 1);
        let said = tokio::time::timeout(MINUTE, keys.begun.notified()).await;
        assert!(said.is_err(), "nothing is new");
        keys.watch(("users", "1"), &["pod-2".to_owned()], MINUTE);
        keys.begun.notified().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_watched_for_a_while_and_those_that_were_looked_at_last_count() {
        let keys = WatchedKeys::default();
        let nodes: Vec<_> = (0..100).map(|n| format!("pod-{n}")).collect();
        for n in 0..20 {
            keys.watch(("users", &n.to_string()), &nodes, MINUTE);
        }
        keys.watch(("users", "15"), &nodes, MINUTE * 2);
        let wanted = keys.wanted();
        let texts: Vec<_> = wanted.iter().map(|wanted| &*wanted.keys[0]).collect();
        assert_eq!(texts, ["12", "13", "14", "16", "17", "18", "19", "15"]);
        assert_eq!(wanted[0].nodes.len(), MOST_NODES);
        tokio::time::advance(MINUTE).await;
        assert_eq!((keys.wanted().len(), keys.has_any()), (1, true));
        tokio::time::advance(MINUTE).await;
        assert_eq!((keys.wanted().len(), keys.has_any()), (0, false));
    }
}
