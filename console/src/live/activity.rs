use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use strata_report::{
    Activity, ActivityFilter, AuditEntry, Event, EventKind, NodeReport, PresenceState, What,
};

use super::sampler::Tick;
use crate::clock::now_ms;
use crate::console::Console;
use crate::nodes::{FleetTick, NodeClient};

const KEPT: usize = 5_000;

/// The most events of one cache on one node in a second, so that a busy one does not push out the
/// events of the others.
const TAKEN_PER_TICK: usize = 60;

/// The newest events of all nodes, caches and people, in the order in which they were noticed.
#[derive(Debug, Default)]
pub(crate) struct ActivityFeed {
    stream: Mutex<Stream>,
}

#[derive(Debug, Default)]
struct Stream {
    last: u64,
    dropped: u64,
    newest: VecDeque<Event>,
    /// How far each cache of each node has been read.
    places: HashMap<(String, String), Place>,
    last_audit: u64,
}

#[derive(Debug, Default)]
struct Place {
    started_at_ms: u64,
    last: u64,
    dropped: u64,
}

impl Console {
    /// The newest events after a place in the stream that pass the filter; without a place, the
    /// newest that are kept.
    pub fn activity(&self, after: Option<u64>, filter: &ActivityFilter) -> Activity {
        let stream = self.inner.feed.stream();
        let oldest = stream.newest.front().map_or(stream.last + 1, |event| event.seq);
        let newer = stream.newest.iter().filter(|event| event.seq > after.unwrap_or(0));
        Activity {
            events: newer.filter(|event| filter.passes(event)).cloned().collect(),
            last: stream.last,
            missed: after.map_or(0, |after| (oldest - 1).saturating_sub(after)),
            dropped: stream.dropped,
        }
    }

    /// The ids of the service's nodes, the first `limit` of them.
    pub fn node_names(&self, limit: usize) -> Vec<String> {
        self.tick().reports.iter().take(limit).map(|report| report.node.clone()).collect()
    }

    /// Takes what happened since the last tick.
    pub(crate) fn feed(&self, earlier: Option<&Tick>, tick: &Tick) {
        let reports = &tick.reports;
        let before = earlier.map_or(&[][..], |earlier| &earlier.reports);
        let mut stream = self.inner.feed.stream();
        // One that is not heard for a while goes on where it was.
        stream.places.retain(|(node, _), _| self.inner.nodes.get(node).is_some());
        let by_id: HashMap<&str, &NodeReport> =
            before.iter().map(|report| (&*report.node, &**report)).collect();
        let did_hear = earlier.and_then(|earlier| earlier.fleet.as_deref());
        let did_hear = did_hear.is_none_or(FleetTick::hears_others);
        let seen = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for report in reports.iter() {
            // One that was not heard because Redis was away has not appeared.
            let last = || seen.get(&report.node).filter(|_| !did_hear).map(|last| &**last);
            let before = by_id.get(&*report.node).copied().or_else(last);
            changes(before, report).for_each(|what| stream.push(node_event(report, what)));
            let Some(node) = self.inner.nodes.get(&report.node) else {
                continue;
            };
            for cache in &report.caches {
                stream.take(node.as_ref(), report, &cache.cache);
            }
        }
        let heard: HashSet<&str> = reports.iter().map(|report| &*report.node).collect();
        drop(seen);
        let gone = before.iter().filter(|before| !heard.contains(&*before.node));
        let fleet = tick.fleet.as_deref();
        let has_left = |node: &str| {
            let presence = fleet.and_then(|fleet| fleet.presence(node));
            presence.is_some_and(|presence| presence.state == PresenceState::Left)
        };
        for before in gone.filter(|_| fleet.is_none_or(FleetTick::hears_others)) {
            let left = has_left(&before.node);
            let what = if left { What::NodeLeft } else { What::NodeVanished };
            stream.push(node_event(before, what));
        }
        let entries = self.inner.audit.after(stream.last_audit);
        // What an earlier run left is no news.
        for audited in
            entries.into_iter().filter(|audited| audited.at_ms >= self.tick().frame.started_at_ms)
        {
            stream.last_audit = stream.last_audit.max(audited.id);
            stream.push(audit_event(audited));
        }
    }
}

impl ActivityFeed {
    fn stream(&self) -> MutexGuard<'_, Stream> {
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream {
    fn push(&mut self, event: Event) {
        self.last += 1;
        if self.newest.len() == KEPT {
            self.newest.pop_front();
        }
        self.newest.push_back(Event { seq: self.last, ..event });
    }

    fn take(&mut self, node: &dyn NodeClient, report: &NodeReport, cache: &str) {
        let place = self.places.entry((report.node.clone(), cache.to_owned())).or_default();
        // What nodes elsewhere tell is counted by the console, over all their runs.
        let starts_anew = node.presence().is_none() && place.started_at_ms != report.started_at_ms;
        if starts_anew {
            *place = Place { started_at_ms: report.started_at_ms, ..Place::default() };
        }
        let found = node.events_after(cache, place.last);
        place.last = found.last;
        let mut dropped = found.dropped.saturating_sub(place.dropped);
        place.dropped = found.dropped;
        let (fills, others): (Vec<_>, Vec<_>) =
            found.events.into_iter().partition(|event| event.what.kind() == EventKind::Fill);
        // Fills are the most and say the least, so they come last where there are too many.
        let n_others = others.len().min(TAKEN_PER_TICK);
        let n_fills = fills.len().min(TAKEN_PER_TICK - n_others);
        dropped += (others.len() - n_others + fills.len() - n_fills) as u64;
        self.dropped += dropped;
        let mut taken: Vec<_> = newest(others, n_others).chain(newest(fills, n_fills)).collect();
        taken.sort_by_key(|event| event.seq);
        taken.into_iter().for_each(|event| self.push(event));
    }
}

fn newest(events: Vec<Event>, n: usize) -> impl Iterator<Item = Event> {
    let skipped = events.len() - n;
    events.into_iter().skip(skipped)
}

/// What a node's report says that the one before did not.
fn changes(before: Option<&NodeReport>, now: &NodeReport) -> impl Iterator<Item = What> {
    let restarted = before.is_some_and(|before| !before.is_of_run(now));
    let same_run = before.filter(|_| !restarted);
    let turned = |is: fn(&NodeReport) -> bool, on: What, off: What| match same_run {
        Some(before) if is(before) != is(now) => Some(if is(now) { on } else { off }),
        _ => None,
    };
    let gaps_before = same_run.map_or(now.bus.gaps, |before| before.bus.gaps);
    let gaps = now.bus.gaps.saturating_sub(gaps_before);
    [
        before.is_none().then_some(What::NodeAppeared),
        restarted.then_some(What::NodeRestarted),
        turned(|node| node.bus.connected, What::BusConnected, What::BusLost),
        (gaps > 0).then_some(What::BusGap { times: gaps }),
        turned(|node| node.l2.breaker_open, What::BreakerOpened, What::BreakerClosed),
    ]
    .into_iter()
    .flatten()
}

fn node_event(report: &NodeReport, what: What) -> Event {
    let (node, cache) = (report.node.clone(), String::new());
    Event { seq: 0, at_ms: now_ms(), node, cache, key: None, what }
}

fn audit_event(audited: AuditEntry) -> Event {
    let AuditEntry { at_ms, actor, action, cache, target, result, .. } = audited;
    let what = What::Did { actor, action, target, result };
    Event { seq: 0, at_ms, node: String::new(), cache, key: None, what }
}
