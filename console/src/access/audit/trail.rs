use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use strata_report::{AuditEntry, AuditPage, Marker};

use super::super::actor::Actor;
use super::action::AuditedAction;
use super::refusals::Refusals;
use crate::clock::now_ms;

const SHOWN_CHARS: usize = 512;

/// A change behind the demo service, which there may be many of.
pub(crate) const WRITE_DEMO: &str = "write_demo";
/// Actions that no chart marks.
const COMING_AND_GOING: [&str; 2] = ["log_in", "log_out"];

/// Who did what: the newest entries. They are in memory; `journal` writes them to Redis as well.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    trail: Mutex<Trail>,
    refusals: Mutex<Refusals>,
}

#[derive(Debug, Default)]
struct Trail {
    /// One list for each kind, in the order of [`Kind::ALL`], newest first.
    lists: [VecDeque<AuditEntry>; 3],
    last_id: u64,
    /// Oldest first: what Redis does not have yet.
    unwritten: VecDeque<AuditEntry>,
}

/// A kind of entries. Each has room of its own, so that the many never push out the few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What was done.
    Done,
    /// What was written behind the demo service.
    Demo,
    /// What was refused, as often as anybody likes.
    Refused,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Done, Self::Demo, Self::Refused];

    pub(crate) fn of(entry: &AuditEntry) -> Self {
        match (entry.refused, entry.action.as_str()) {
            (true, _) => Self::Refused,
            (false, WRITE_DEMO) => Self::Demo,
            (false, _) => Self::Done,
        }
    }

    /// How many entries are kept, here and in Redis.
    pub(crate) const fn kept(self) -> usize {
        match self {
            Self::Done => 10_000,
            Self::Demo => 1_000,
            Self::Refused => 200,
        }
    }
}

impl Audit {
    pub(crate) fn record(&self, actor: &Actor, audited: AuditedAction<'_>, result: String) {
        self.push(entry(actor, audited, result));
    }

    /// Records a beginning, so that it is known even if the end is never reached.
    pub(crate) fn begin(&self, actor: &Actor, audited: AuditedAction<'_>, what: &str) {
        let begun = entry(actor, audited, format!("Begun: {what}"));
        self.push(AuditEntry { begun: true, ..begun });
    }

    /// Records a refusal. Of many by one peer it records the first of each minute, and how many there
    /// were.
    pub(crate) fn refuse(&self, actor: &Actor, audited: AuditedAction<'_>, why: &str) {
        let refusal = entry(actor, audited, format!("Refused: {why}"));
        let refusal = AuditEntry { refused: true, ..refusal };
        let told = self.refusals().add(actor.peer(), refusal);
        told.into_iter().for_each(|refusal| self.push(refusal));
    }

    /// Records in one line each what was refused again and again in minutes that are over.
    pub(crate) fn sum_up_refusals(&self) {
        let told = self.refusals().over();
        told.into_iter().for_each(|refusal| self.push(refusal));
    }

    /// The same of all that is untold, for the end of the program.
    pub(crate) fn sum_up_all_refusals(&self) {
        let told = self.refusals().all();
        told.into_iter().for_each(|refusal| self.push(refusal));
    }

    /// What was done since then, oldest first; about one cache where it is named.
    pub(crate) fn markers(&self, since_ms: u64, cache: Option<&str>) -> Vec<Marker> {
        let trail = self.trail();
        let done = trail.list(Kind::Done).iter();
        let recent = done.take_while(|entry| entry.at_ms >= since_ms);
        let wanted = recent
            .filter(|entry| !entry.begun && !COMING_AND_GOING.contains(&entry.action.as_str()))
            .filter(|entry| cache.is_none_or(|cache| entry.cache == cache));
        let mut markers: Vec<_> = wanted.map(marker).collect();
        markers.reverse();
        markers
    }

    /// The newest entries before `id`, newest first.
    pub(crate) fn before(&self, id: Option<u64>, limit: usize) -> AuditPage {
        let trail = self.trail();
        let is_older = |entry: &&AuditEntry| id.is_none_or(|id| entry.id < id);
        let of_each = trail.lists.iter();
        let of_each = of_each.flat_map(|list| list.iter().filter(is_older).take(limit + 1));
        let mut entries: Vec<_> = of_each.cloned().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.id));
        let has_more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| has_more).map(|entry| entry.id);
        let only_in_memory = trail.unwritten.len() as u64;
        AuditPage { entries, next, only_in_memory, ..AuditPage::default() }
    }

    /// What operators did to caches, and what was refused, after `id`, oldest first.
    pub(crate) fn after(&self, id: u64) -> Vec<AuditEntry> {
        let trail = self.trail();
        let lists = [Kind::Done, Kind::Refused].map(|kind| trail.list(kind));
        let newer = lists.into_iter().flat_map(|list| list.iter().take_while(|e| e.id > id));
        let mut entries: Vec<_> = newer.cloned().collect();
        entries.sort_by_key(|entry| entry.id);
        entries
    }

    /// What Redis does not have yet, oldest first.
    pub(crate) fn unwritten(&self) -> Vec<AuditEntry> {
        self.trail().unwritten.iter().cloned().collect()
    }

    /// Redis has everything up to `id`.
    pub(crate) fn written(&self, id: u64) {
        self.trail().unwritten.retain(|entry| entry.id > id);
    }

    /// What an earlier run left in Redis.
    pub(crate) fn remember(&self, earlier: Vec<AuditEntry>) {
        let mut trail = self.trail();
        let here: Vec<_> = trail.lists.iter_mut().flat_map(std::mem::take).collect();
        // Two programs that share a Redis may both act in the same millisecond.
        let keyed = earlier.into_iter().chain(here).map(|e| ((e.id, e.target.clone()), e));
        let known: BTreeMap<_, AuditEntry> = keyed.collect();
        let newest = known.keys().next_back().map_or(0, |(id, _)| *id);
        trail.last_id = trail.last_id.max(newest);
        known.into_values().for_each(|entry| trail.keep(entry));
    }

    fn push(&self, entry: AuditEntry) {
        let AuditEntry { actor, address, action, cache, target, result, .. } = entry.clone();
        self.add(entry);
        tracing::info!(actor, address, action, cache, on = target, result, "audit");
    }

    fn add(&self, mut entry: AuditEntry) {
        let mut trail = self.trail();
        // Whole milliseconds with room for a thousand each: a browser's numbers hold it exactly.
        entry.id = (entry.at_ms * 1_000).max(trail.last_id + 1);
        trail.last_id = entry.id;
        trail.unwritten.push_back(entry.clone());
        trail.keep(entry);
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trail(&self) -> MutexGuard<'_, Trail> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trail {
    fn list(&self, kind: Kind) -> &VecDeque<AuditEntry> {
        &self.lists[kind as usize]
    }

    /// Keeps the newest entry of its kind, and forgets one where there are too many.
    fn keep(&mut self, entry: AuditEntry) {
        let kind = Kind::of(&entry);
        let list = &mut self.lists[kind as usize];
        list.push_front(entry);
        if list.len() <= kind.kept() {
            return;
        }
        let forgotten = match kind {
            Kind::Refused => remove_from_the_loudest(list),
            Kind::Done | Kind::Demo => list.pop_back(),
        };
        // What is forgotten before Redis was back is not worth writing.
        let id = forgotten.map_or(0, |entry| entry.id);
        self.unwritten.retain(|entry| entry.id != id);
    }
}

/// Takes out the oldest entry of the addresses that have the most, so that nobody's flood pushes out
/// what was refused to others.
fn remove_from_the_loudest(list: &mut VecDeque<AuditEntry>) -> Option<AuditEntry> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in list.iter() {
        *counts.entry(&entry.address).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    let oldest = list.iter().rposition(|entry| counts[entry.address.as_str()] == most)?;
    list.remove(oldest)
}

fn marker(entry: &AuditEntry) -> Marker {
    Marker {
        at_ms: entry.began_at_ms,
        until_ms: entry.at_ms,
        cache: entry.cache.clone(),
        action: entry.action.clone(),
        target: entry.target.clone(),
        actor: entry.actor.clone(),
        result: entry.result.clone(),
    }
}

fn entry(actor: &Actor, audited: AuditedAction<'_>, result: String) -> AuditEntry {
    let at_ms = now_ms();
    AuditEntry {
        id: 0,
        at_ms,
        began_at_ms: audited.began_at_ms.unwrap_or(at_ms),
        refused: false,
        actor: beginning(&actor.name),
        address: actor
            .address
            .map(|address| address.to_canonical().to_string())
            .unwrap_or_default(),
        begun: false,
        action: beginning(audited.action),
        cache: beginning(audited.cache),
        target: beginning(audited.target),
        result,
    }
}

// A refusal is recorded before anything was checked, so its texts can be of any length.
fn beginning(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}
