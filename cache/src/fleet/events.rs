//! Events of keys, for the consoles that ask for them: sent after a beat, from when they are asked
//! for until they no longer are.

use std::collections::HashMap;

use strata_report::{Event, EventRequest, FLEET_PROTOCOL, NodeEvents, Want};

use super::answering::MAX_REPLIES;
use super::presence::{FleetHost, Presence};
use super::{form, gate, scripts};
use crate::connection::CallError;
use crate::recorder::{EventCursor, NewEvents};
use crate::user_code::contained;

/// The most events of one beat for one console.
const MAX_EVENTS: usize = 200;

/// Of so many caches and consoles at most.
const MAX_REQUESTS: usize = 32;

/// The most keys of one cache for one console, and the longest, bytes.
const MAX_KEYS: usize = 8;
const MAX_KEY_BYTES: usize = 1_024;

/// The most nodes that one request may name, and the longest name of a cache, bytes.
const MAX_NODES: usize = 16;
const MAX_CACHE_BYTES: usize = 256;

/// So much is sent after one beat at most, bytes; the rest after the next one.
const MAX_SENT_BYTES: usize = 2 * form::MAX_BYTES;

/// What one console wants, as it lay in Redis under its id.
pub(super) struct ConsoleWant {
    pub(super) console: String,
    pub(super) want: Want,
}

impl ConsoleWant {
    /// From the consoles and what they want, in turn. What cannot be read wants nothing special.
    pub(super) fn of(answer: &[String]) -> Vec<Self> {
        let pairs = answer.chunks_exact(2);
        let heard = |pair: &[String]| Self {
            console: pair[0].clone(),
            want: serde_json::from_str(&pair[1]).unwrap_or_default(),
        };
        pairs.map(heard).collect()
    }
}

/// A console and a cache.
type Reader = (String, String);

/// How far each console was told, by console and cache.
#[derive(Default)]
pub(super) struct EventCursors {
    cursors: HashMap<Reader, EventCursor>,
    n_sent: usize,
}

/// A message on its way, and where its reader goes on once it is sent.
struct Outgoing {
    reader: Reader,
    bytes: Vec<u8>,
    cursor: EventCursor,
}

impl Presence {
    /// Sends each console what has happened since the last beat to the keys that it asks about: with
    /// one command, however many consoles there are. What could not be sent is sent with the next
    /// beat.
    pub(super) async fn send_events(
        &self,
        host: &dyn FleetHost,
        sent: &mut EventCursors,
        wants: &[ConsoleWant],
    ) {
        let mut requests = self.event_requests(wants);
        sent.cursors.retain(|reader, _| requests.iter().any(|request| request.0 == *reader));
        if requests.is_empty() {
            return;
        }
        // Each is the first one at times, so that nobody is put off again and again.
        sent.n_sent = sent.n_sent.wrapping_add(1);
        let first = sent.n_sent % requests.len();
        requests.rotate_left(first);
        let (mut outgoing, mut n_bytes) = (Vec::new(), 0);
        for (reader, request) in requests {
            // What happened before is asked for where somebody wants it.
            let after = sent.cursors.get(&reader).copied();
            let Some(found) = contained(|| host.events_of(&request, after)) else { continue };
            let cursor = found.cursor;
            let Some(bytes) = self.message(&request.cache, found) else {
                sent.cursors.insert(reader, cursor);
                continue;
            };
            n_bytes += bytes.len();
            if n_bytes > MAX_SENT_BYTES && !outgoing.is_empty() {
                break;
            }
            outgoing.push(Outgoing { reader, bytes, cursor });
        }
        if !outgoing.is_empty() && self.send_all(&outgoing).await.is_ok() {
            let told = outgoing.into_iter().map(|message| (message.reader, message.cursor));
            sent.cursors.extend(told);
        }
    }

    /// What is sent of what has happened: the newest of it; `None` where there is nothing to say.
    fn message(&self, cache: &str, found: NewEvents) -> Option<Vec<u8>> {
        if found.events.is_empty() && found.missed == 0 {
            return None;
        }
        let mut kept = MAX_EVENTS;
        loop {
            let events = newest(&found.events, kept);
            let dropped = found.missed.saturating_add((found.events.len() - events.len()) as u64);
            let message = NodeEvents {
                protocol: FLEET_PROTOCOL,
                node: self.node.clone(),
                run: self.run.clone(),
                cache: cache.to_owned(),
                events: events.to_vec(),
                last: found.events.last().map_or(0, |event| event.seq),
                dropped,
            };
            match form::write(&message, form::MAX_BYTES) {
                Some(bytes) => return Some(bytes),
                None if kept == 0 => return None,
                // Long keys or patterns: fewer of them fit.
                None => kept /= 2,
            }
        }
    }

    async fn send_all(&self, outgoing: &[Outgoing]) -> Result<u64, CallError> {
        let mut send = scripts::EVENTS.prepare_invoke();
        send.key(self.names.want()).arg(MAX_REPLIES);
        for Outgoing { reader: (console, _), bytes, .. } in outgoing {
            send.key(self.names.replies(console)).arg(console).arg(bytes);
        }
        self.ask(&send).await
    }

    /// What is asked of this node, as far as it allows it: who may ask it what happened to a key may
    /// ask to be told.
    fn event_requests(&self, wants: &[ConsoleWant]) -> Vec<(Reader, EventRequest)> {
        if !self.settings.policy().looks {
            return Vec::new();
        }
        let mut all = Vec::new();
        for ConsoleWant { console, want } in
            wants.iter().filter(|heard| gate::is_name(&heard.console))
        {
            let want = Want { console: console.clone(), ..want.clone() };
            // Bounded before anything is computed of them.
            for request in want.events.iter().take(MAX_KEYS).filter(|request| is_small(request)) {
                if self.is_asked(&want, request) {
                    add(&mut all, (console, request));
                }
            }
        }
        all
    }

    fn is_asked(&self, want: &Want, request: &EventRequest) -> bool {
        let namespace = self.names.namespace();
        let key = self.settings.signing_key();
        request.nodes.contains(&self.node)
            && key.is_none_or(|key| key.fits_events(namespace, want, request))
    }
}

fn newest(events: &[Event], n: usize) -> &[Event] {
    &events[events.len().saturating_sub(n)..]
}

/// Whether it is no larger than what a console writes. No keys are nothing.
fn is_small(request: &EventRequest) -> bool {
    (1..=MAX_KEYS).contains(&request.keys.len())
        && request.keys.iter().all(|key| key.len() <= MAX_KEY_BYTES)
        && request.nodes.len() <= MAX_NODES
        && request.cache.len() <= MAX_CACHE_BYTES
}

/// Adds the keys that a console asks about to those of the same cache that it asks about already, as
/// far as they are few.
fn add(all: &mut Vec<(Reader, EventRequest)>, (console, request): (&str, &EventRequest)) {
    let reader = (console.to_owned(), request.cache.clone());
    if let Some((_, known)) = all.iter_mut().find(|known| known.0 == reader) {
        for key in &request.keys {
            if known.keys.len() < MAX_KEYS && !known.keys.contains(key) {
                known.keys.push(key.clone());
            }
        }
    } else if all.len() < MAX_REQUESTS {
        all.push((reader, request.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(cache: &str, keys: &[&str]) -> EventRequest {
        EventRequest {
            cache: cache.to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            ..EventRequest::default()
        }
    }

    #[test]
    fn what_a_console_asks_about_one_cache_is_one_request() {
        let mut all = Vec::new();
        for (console, request) in [
            ("a", request("users", &["1"])),
            ("a", request("users", &["2", "1"])),
            ("b", request("users", &["3"])),
            ("a", request("posts", &["4"])),
        ] {
            add(&mut all, (console, &request));
        }
        let keys: Vec<_> =
            all.iter().map(|((console, _), request)| (&**console, request.keys.len())).collect();
        assert_eq!(keys, [("a", 2), ("b", 1), ("a", 1)]);
    }

    #[test]
    fn nobody_asks_about_more_keys_caches_or_nodes_than_a_console_does() {
        let long = "x".repeat(MAX_KEY_BYTES + 1);
        let many: Vec<_> = (0..=MAX_KEYS).map(|n| n.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert!(is_small(&request("users", &["1"])));
        assert!(!is_small(&request("users", &[])), "no keys are not all keys");
        assert!(!is_small(&request("users", &[&long])));
        assert!(!is_small(&request("users", &many)));
        assert!(!is_small(&request(&"c".repeat(MAX_CACHE_BYTES + 1), &["1"])));
        let nodes = vec!["pod-1".to_owned(); MAX_NODES + 1];
        assert!(!is_small(&EventRequest { nodes, ..request("users", &["1"]) }));
        let mut all = Vec::new();
        for n in 0..100 {
            add(&mut all, ("a", &request("users", &[&n.to_string()])));
            add(&mut all, ("a", &request(&format!("cache-{n}"), &["1"])));
        }
        assert_eq!((all.len(), all[0].1.keys.len()), (MAX_REQUESTS, MAX_KEYS));
    }
}
