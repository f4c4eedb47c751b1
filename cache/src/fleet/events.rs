//! Events of keys, for the consoles that want them: sent after a beat, from when they are wanted on
//! until they no longer are.

use std::collections::HashMap;

use strata_report::{EventsWanted, FLEET_PROTOCOL, NodeEvents, Want};

use super::answering::MAX_REPLIES;
use super::presence::{FleetHost, Presence};
use super::{form, gate, scripts};
use crate::connection::CallError;
use crate::user_code::contained;

/// The most events of one beat for one console.
const MAX_EVENTS: usize = 200;

/// Of so many caches and consoles at most.
const MAX_WANTED: usize = 32;

/// How far each console was told, by console and cache.
#[derive(Default)]
pub(super) struct EventPlaces(HashMap<(String, String), u64>);

/// A console, and what it wants of one cache.
type Wanted = (String, EventsWanted);

impl Presence {
    /// Tells each console what has happened since the last beat to the keys that it wants.
    pub(super) async fn tell_events(
        &self,
        host: &dyn FleetHost,
        places: &mut EventPlaces,
        wants: &[String],
    ) {
        let wanted = self.events_wanted(wants);
        places.0.retain(|(console, cache), _| {
            wanted.iter().any(|(of, wanted)| of == console && wanted.cache == *cache)
        });
        for (console, wanted) in wanted {
            let place = (console, wanted.cache.clone());
            // What happened before is asked for where somebody wants it.
            let after = places.0.get(&place).copied().unwrap_or(u64::MAX);
            let Some(mut found) = contained(|| host.events_of(&wanted, after)) else { continue };
            let dropped = found.events.len().saturating_sub(MAX_EVENTS);
            found.events.drain(..dropped);
            let last = found.last;
            let events = NodeEvents {
                protocol: FLEET_PROTOCOL,
                node: self.node.clone(),
                run: self.run.clone(),
                cache: wanted.cache,
                events: found.events,
                last,
                dropped: dropped as u64,
            };
            // What could not be sent is sent with the next beat.
            if events.events.is_empty() || self.send_events(&place.0, &events).await.is_ok() {
                places.0.insert(place, last);
            }
        }
    }

    async fn send_events(&self, console: &str, events: &NodeEvents) -> Result<u64, CallError> {
        let Some(bytes) = form::write(events, form::MAX_BYTES) else { return Ok(0) };
        let mut send = scripts::REPLY.prepare_invoke();
        send.key(self.names.want()).key(self.names.replies(console));
        send.arg(console).arg(MAX_REPLIES).arg("e").arg(bytes);
        self.ask(&send).await
    }

    /// What is wanted of this node, as far as it allows it: who may ask it what happened to a key
    /// may want to be told.
    fn events_wanted(&self, wants: &[String]) -> Vec<Wanted> {
        if !self.settings.policy().looks {
            return Vec::new();
        }
        let wants = wants.iter().filter_map(|json| serde_json::from_str::<Want>(json).ok());
        let mut all: Vec<Wanted> = Vec::new();
        for want in wants.filter(|want| gate::is_name(&want.console)) {
            for wanted in want.events.iter().filter(|wanted| self.is_wanted_of(&want, wanted)) {
                add(&mut all, (want.console.clone(), wanted.clone()));
            }
        }
        all.truncate(MAX_WANTED);
        all
    }

    fn is_wanted_of(&self, want: &Want, wanted: &EventsWanted) -> bool {
        let namespace = self.names.namespace();
        let key = self.settings.signing_key();
        wanted.nodes.contains(&self.node)
            && key.is_none_or(|key| key.fits_events(namespace, want, wanted))
    }
}

/// Adds what a console wants of a cache to what it wants of it already: no keys are all keys.
fn add(all: &mut Vec<Wanted>, (console, wanted): Wanted) {
    let same = |(of, known): &&mut Wanted| *of == console && known.cache == wanted.cache;
    match all.iter_mut().find(same) {
        Some((_, known)) if known.keys.is_empty() || wanted.keys.is_empty() => known.keys.clear(),
        Some((_, known)) => known.keys.extend(wanted.keys),
        None => all.push((console, wanted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_console_wants_of_one_cache_is_told_once() {
        let wanted = |cache: &str, keys: &[&str]| EventsWanted {
            cache: cache.to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            ..EventsWanted::default()
        };
        let mut all = Vec::new();
        for (console, wanted) in [
            ("a", wanted("users", &["1"])),
            ("a", wanted("users", &["2"])),
            ("b", wanted("users", &["3"])),
            ("b", wanted("users", &[])),
            ("a", wanted("posts", &["4"])),
        ] {
            add(&mut all, (console.to_owned(), wanted));
        }
        let keys: Vec<_> = all.iter().map(|(of, wanted)| (&**of, wanted.keys.len())).collect();
        assert_eq!(keys, [("a", 2), ("b", 0), ("a", 1)]);
    }
}
