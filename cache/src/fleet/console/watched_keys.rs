//! Keys that somebody looks at, and what nodes tell of them meanwhile.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_report::{CacheEvents, Event, EventsWanted, NodeEvents, NodeId};
use tokio::sync::Notify;
use tokio::time::Instant;

/// So many keys are watched at a time: those that were looked at last.
const MOST_KEYS: usize = 8;

/// On so many nodes.
const MOST_NODES: usize = 16;

/// So many events of one cache on one node are kept.
const KEPT: usize = 1_000;

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
}

struct WatchedKey {
    cache: String,
    key: String,
    nodes: Vec<NodeId>,
    until: Instant,
}

/// What one run of a node has told of a cache.
#[derive(Default)]
struct EventStream {
    run: String,
    events: VecDeque<Event>,
    last: u64,
    dropped: u64,
}

impl WatchedKeys {
    /// Watches a key for a time, or longer where it is watched already.
    pub(super) fn watch(&self, (cache, key): (&str, &str), nodes: &[NodeId], span: Duration) {
        let now = Instant::now();
        let mut state = self.state();
        state
            .keys
            .retain(|known| (&*known.cache, &*known.key) != (cache, key) && known.until > now);
        let excess = (state.keys.len() + 1).saturating_sub(MOST_KEYS);
        state.keys.drain(..excess);
        state.keys.push(WatchedKey {
            cache: cache.to_owned(),
            key: key.to_owned(),
            nodes: nodes.iter().take(MOST_NODES).cloned().collect(),
            until: now + span,
        });
        let State { keys, streams } = &mut *state;
        streams.retain(|(node, cache), _| is_of(keys, node, cache));
        self.begun.notify_one();
    }

    /// Whether anything is watched now.
    pub(super) fn has_any(&self) -> bool {
        let now = Instant::now();
        self.state().keys.iter().any(|watched| watched.until > now)
    }

    /// What is wanted of nodes now, the newest last.
    pub(super) fn wanted(&self) -> Vec<EventsWanted> {
        let now = Instant::now();
        let state = self.state();
        let watched = state.keys.iter().filter(|watched| watched.until > now);
        let wanted = watched.map(|watched| EventsWanted {
            cache: watched.cache.clone(),
            nodes: watched.nodes.clone(),
            keys: vec![watched.key.clone()],
            signature: String::new(),
        });
        wanted.collect()
    }

    /// Takes note of what a node tells, where that was wanted.
    pub(super) fn take(&self, told: NodeEvents) {
        let NodeEvents { node, run, cache, events, last, dropped, .. } = told;
        let mut state = self.state();
        if !is_of(&state.keys, &node, &cache) {
            return;
        }
        let stream = state.streams.entry((node.clone(), cache.clone())).or_default();
        if stream.run != run {
            *stream = EventStream { run, ..EventStream::default() };
        }
        for event in events.into_iter().filter(|event| event.seq <= last) {
            // What was sent again is known.
            if event.seq > stream.last {
                stream.last = event.seq;
                let (node, cache) = (node.clone(), cache.clone());
                stream.events.push_back(Event { node, cache, ..event });
            }
        }
        stream.last = stream.last.max(last);
        stream.dropped += dropped;
        let excess = stream.events.len().saturating_sub(KEPT);
        stream.events.drain(..excess);
    }

    /// What a node has told of a cache after a place in its stream.
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
    keys.iter().any(|watched| watched.cache == cache && watched.nodes.contains(node))
}

#[cfg(test)]
mod tests {
    use strata_report::What;

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
        assert_eq!((seqs(&keys, 0), seqs(&keys, 3)), (vec![2, 3, 5], vec![5]));
        assert_eq!(keys.after(("pod-1", "users"), 0).events[0].node, "pod-1");
        keys.take(told("b", [1]));
        assert_eq!(seqs(&keys, 0), [1], "another run counts anew");
        keys.take(told("b", 2..=5_000));
        assert_eq!(seqs(&keys, 0).len(), KEPT);
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
