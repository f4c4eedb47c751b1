//! Which asks are let in: the bus's reader hands over what it finds, and must not wait.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use strata_report::{Ask, AskCounts, FLEET_PROTOCOL};
use tokio::sync::mpsc;

use super::form;
use super::names::FleetNames;
use super::scripts::KEPT_MS;
use super::signature::FleetKey;
use crate::bus::AskHandler;
use crate::connection::Bus;

/// So many asks may wait.
const MAX_WAITING: usize = 16;

/// So many refusals may wait to be told; others are told nothing.
const MAX_REFUSALS: usize = 64;

/// So many asks are remembered, so that none is answered twice.
const REMEMBERED: usize = 512;

/// The longest name of a console or of an ask.
const MAX_NAME_BYTES: usize = 64;

/// An ask that is to be told why it is refused.
pub(super) struct Refusal {
    pub(super) ask: Ask,
    pub(super) why: Refused,
}

/// Why an ask is refused that a console may have meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Busy,
    Unsigned,
    Protocol,
}

/// Lets in each ask that is for this node, in time, signed where there is a key, and new.
pub(crate) struct AskGate {
    bus: Bus,
    node: String,
    streams: [String; 2],
    key: Option<FleetKey>,
    seen: Mutex<RecentAskIds>,
    counts: Arc<AskCounters>,
    queue: mpsc::Sender<Ask>,
    refusals: mpsc::Sender<Refusal>,
    /// Taken by the task that answers, and given back if it ends.
    pub(super) waiting: tokio::sync::Mutex<mpsc::Receiver<Ask>>,
    pub(super) refused: tokio::sync::Mutex<mpsc::Receiver<Refusal>>,
}

/// The ids of the last asks.
#[derive(Default)]
struct RecentAskIds {
    ids: HashSet<String>,
    in_turn: VecDeque<String>,
}

impl RecentAskIds {
    /// Whether it is new.
    fn add(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.in_turn.push_back(id.to_owned());
        if self.in_turn.len() > REMEMBERED
            && let Some(oldest) = self.in_turn.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

impl AskGate {
    pub(super) fn new(
        bus: &Bus,
        node: &str,
        (names, key): (&FleetNames, Option<&FleetKey>),
        counts: &Arc<AskCounters>,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(MAX_WAITING);
        let (refusals, refused) = mpsc::channel(MAX_REFUSALS);
        Self {
            bus: bus.clone(),
            node: node.to_owned(),
            streams: [names.asks(), names.asks_of(node)],
            key: key.cloned(),
            seen: Mutex::default(),
            counts: Arc::clone(counts),
            queue,
            refusals,
            waiting: tokio::sync::Mutex::new(waiting),
            refused: tokio::sync::Mutex::new(refused),
        }
    }

    fn let_in(&self, fields: &HashMap<Vec<u8>, Vec<u8>>) {
        let ask = fields.get(b"a".as_slice());
        let ask = ask.and_then(|bytes| form::read::<Ask>(bytes, form::MAX_ASK_BYTES).ok());
        let Some(ask) = ask.filter(|ask| is_name(&ask.id) && is_name(&ask.console)) else {
            return self.counts.unreadable.add();
        };
        if ask.to.as_ref().is_some_and(|to| *to != self.node) {
            return self.counts.misdirected.add();
        }
        let now_ms = self.bus.clock().now_ms();
        if ask.deadline_ms <= now_ms || ask.deadline_ms > now_ms + KEPT_MS {
            return self.counts.late.add();
        }
        if self.key.as_ref().is_some_and(|key| !key.fits(self.bus.namespace(), &ask)) {
            self.counts.unsigned.add();
            return self.refuse(ask, Refused::Unsigned);
        }
        // Only those that may ask make it forget others.
        if !self.seen.lock().unwrap_or_else(PoisonError::into_inner).add(&ask.id) {
            return self.counts.repeated.add();
        }
        if ask.protocol > FLEET_PROTOCOL {
            self.counts.unreadable.add();
            return self.refuse(ask, Refused::Protocol);
        }
        if let Err(full) = self.queue.try_send(ask) {
            self.counts.busy.add();
            self.refuse(full.into_inner(), Refused::Busy);
        }
    }

    fn refuse(&self, ask: Ask, why: Refused) {
        // Where even those wait, the console hears nothing, as from a node that is silent.
        let _ = self.refusals.try_send(Refusal { ask, why });
    }
}

impl AskHandler for AskGate {
    fn streams(&self) -> &[String; 2] {
        &self.streams
    }

    fn on_ask(&self, fields: &HashMap<Vec<u8>, Vec<u8>>) {
        self.let_in(fields);
    }
}

/// Names of consoles take part in keys, so they are plain.
pub(super) fn is_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    matches!(name.len(), 1..=MAX_NAME_BYTES) && name.bytes().all(is_plain)
}

/// One of [`AskCounts`].
#[derive(Default)]
pub(super) struct AskCounter(AtomicU64);

impl AskCounter {
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// What became of the asks that reached this run.
#[derive(Default)]
pub(super) struct AskCounters {
    pub(super) answered: AskCounter,
    unreadable: AskCounter,
    misdirected: AskCounter,
    pub(super) late: AskCounter,
    repeated: AskCounter,
    unsigned: AskCounter,
    busy: AskCounter,
    pub(super) unsupported: AskCounter,
    pub(super) forbidden: AskCounter,
    pub(super) truncated: AskCounter,
}

impl AskCounters {
    pub(super) fn read(&self) -> AskCounts {
        AskCounts {
            answered: self.answered.get(),
            unreadable: self.unreadable.get(),
            misdirected: self.misdirected.get(),
            late: self.late.get(),
            repeated: self.repeated.get(),
            unsigned: self.unsigned.get(),
            busy: self.busy.get(),
            unsupported: self.unsupported.get(),
            forbidden: self.forbidden.get(),
            truncated: self.truncated.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_512_asks_are_known_and_no_more() {
        let mut seen = RecentAskIds::default();
        for n in 0..REMEMBERED {
            assert!(seen.add(&n.to_string()));
        }
        assert!(!seen.add("0") && !seen.add("511"));
        assert!(seen.add("512"));
        assert!(seen.add("0"), "it is forgotten by now");
        assert_eq!((seen.ids.len(), seen.in_turn.len()), (REMEMBERED, REMEMBERED));
    }

    #[test]
    fn a_console_whose_name_could_be_another_key_is_none() {
        for bad in ["", "a b", "a:b", "}", "ä", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad:?}");
        }
        assert!(is_name("fedcba0987654321") && is_name("a-b_C"));
    }
}
