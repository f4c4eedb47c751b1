use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use strata_report::{AuditEntry, AuditPage, Marker};

use crate::Actor;
use crate::clock::now_ms;

/// So many deeds are kept, here and in Redis.
pub(crate) const KEPT: usize = 10_000;
// Anybody can be refused as often as they like, which must not push out what was done.
pub(crate) const REFUSALS_KEPT: usize = 200;
const SHOWN_CHARS: usize = 512;

/// Who did what: the newest entries. They are in memory; `audit_log` writes them to Redis as well.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    trail: Mutex<Trail>,
}

#[derive(Debug, Default)]
struct Trail {
    newest_first: VecDeque<AuditEntry>,
    n_refused: usize,
    last_id: u64,
    /// Oldest first: what Redis does not have yet.
    unwritten: VecDeque<AuditEntry>,
}

/// Something that somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deed<'a> {
    pub(crate) action: &'a str,
    /// Empty where it is not about a cache.
    pub(crate) cache: &'a str,
    /// The key, the pattern or the job.
    pub(crate) target: &'a str,
    /// When it began, where that was not just now.
    pub(crate) began_at_ms: Option<u64>,
}

impl<'a> Deed<'a> {
    pub(crate) fn new(action: &'a str, cache: &'a str, target: &'a str) -> Self {
        Self { action, cache, target, began_at_ms: None }
    }
}

impl Audit {
    pub(crate) fn record(&self, actor: &Actor, deed: Deed<'_>, result: String) {
        self.push(entry(actor, deed, result));
    }

    pub(crate) fn refuse(&self, actor: &Actor, deed: Deed<'_>, why: &str) {
        let refusal = entry(actor, deed, format!("Refused: {why}"));
        self.push(AuditEntry { refused: true, ..refusal });
    }

    /// What was done since then, oldest first; about one cache where it is named.
    pub(crate) fn markers(&self, since_ms: u64, cache: Option<&str>) -> Vec<Marker> {
        let trail = self.trail();
        let recent = trail.newest_first.iter().take_while(|entry| entry.at_ms >= since_ms);
        let wanted = recent
            .filter(|entry| !entry.refused)
            .filter(|entry| cache.is_none_or(|cache| entry.cache == cache));
        let mut markers: Vec<_> = wanted.map(marker).collect();
        markers.reverse();
        markers
    }

    /// The newest entries before `id`, newest first.
    pub(crate) fn before(&self, id: Option<u64>, limit: usize) -> AuditPage {
        let trail = self.trail();
        let older = trail.newest_first.iter().filter(|entry| id.is_none_or(|id| entry.id < id));
        let mut entries: Vec<_> = older.take(limit.saturating_add(1)).cloned().collect();
        let has_more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| has_more).map(|entry| entry.id);
        AuditPage { entries, next, only_in_memory: trail.unwritten.len() as u64 }
    }

    /// Entries after `id`, oldest first.
    pub(crate) fn after(&self, id: u64) -> Vec<AuditEntry> {
        let trail = self.trail();
        let newer = trail.newest_first.iter().take_while(|entry| entry.id > id);
        let mut entries: Vec<_> = newer.cloned().collect();
        entries.reverse();
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
        let here: Vec<_> = trail.newest_first.drain(..).collect();
        // Two programs that share a Redis may both act in the same millisecond.
        let keyed = earlier.into_iter().chain(here).map(|e| ((e.id, e.target.clone()), e));
        let known: BTreeMap<_, AuditEntry> = keyed.collect();
        let newest = known.keys().next_back().map_or(0, |(id, _)| *id);
        trail.last_id = trail.last_id.max(newest);
        trail.newest_first = known.into_values().rev().collect();
        trail.n_refused = trail.newest_first.iter().filter(|entry| entry.refused).count();
        trail.trim();
    }

    fn push(&self, entry: AuditEntry) {
        self.keep(entry.clone());
        let AuditEntry { actor, action, cache, target, result, .. } = &entry;
        tracing::info!(actor, action, cache, on = target, result, "audit");
    }

    fn keep(&self, mut entry: AuditEntry) {
        let mut trail = self.trail();
        // Whole milliseconds with room for a thousand each: a browser's numbers hold it exactly.
        entry.id = (entry.at_ms * 1_000).max(trail.last_id + 1);
        trail.last_id = entry.id;
        trail.n_refused += usize::from(entry.refused);
        trail.unwritten.push_back(entry.clone());
        trail.newest_first.push_front(entry);
        trail.trim();
    }

    fn trail(&self) -> MutexGuard<'_, Trail> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Trail {
    fn trim(&mut self) {
        while self.n_refused > REFUSALS_KEPT {
            let oldest = self.newest_first.iter().rposition(|entry| entry.refused);
            let forgotten = oldest.and_then(|oldest| self.newest_first.remove(oldest));
            // A refusal that is forgotten before Redis was back is not worth writing.
            let id = forgotten.map_or(0, |entry| entry.id);
            self.unwritten.retain(|entry| entry.id != id);
            self.n_refused -= 1;
        }
        while self.newest_first.len() > KEPT {
            let Some(oldest) = self.newest_first.pop_back() else { return };
            self.n_refused -= usize::from(oldest.refused);
            self.unwritten.pop_front_if(|entry| entry.id <= oldest.id);
        }
    }
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

fn entry(actor: &Actor, deed: Deed<'_>, result: String) -> AuditEntry {
    let at_ms = now_ms();
    AuditEntry {
        id: 0,
        at_ms,
        began_at_ms: deed.began_at_ms.unwrap_or(at_ms),
        refused: false,
        actor: actor.name.clone(),
        action: beginning(deed.action),
        cache: beginning(deed.cache),
        target: beginning(deed.target),
        result,
    }
}

// A refusal is recorded before anything was checked, so its texts can be of any length.
fn beginning(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}

/// So many entries, in words.
pub(crate) fn entries(n: u64) -> String {
    if n == 1 { "1 entry".to_owned() } else { format!("{n} entries") }
}

#[cfg(test)]
mod tests {
    use strata_report::Role;

    use super::*;

    fn actor() -> Actor {
        Actor { name: "local".to_owned(), role: Role::Operator, token_refused: false }
    }

    fn targets(page: &AuditPage) -> Vec<&str> {
        page.entries.iter().map(|entry| entry.target.as_str()).collect()
    }

    #[test]
    fn entries_come_page_by_page_newest_first() {
        let audit = Audit::default();
        for i in 0..25 {
            let target = i.to_string();
            let deed = Deed::new("invalidate_key", "users", &target);
            audit.record(&actor(), deed, "done".to_owned());
        }
        let first = audit.before(None, 10);
        assert_eq!((targets(&first)[0], targets(&first)[9]), ("24", "15"));
        let second = audit.before(first.next, 10);
        assert_eq!((targets(&second)[0], targets(&second)[9]), ("14", "5"));
        let last = audit.before(second.next, 10);
        assert_eq!((targets(&last), last.next), (vec!["4", "3", "2", "1", "0"], None));
    }

    #[test]
    fn refusals_never_push_out_what_was_done() {
        let audit = Audit::default();
        audit.record(&actor(), Deed::new("invalidate_key", "users", "42"), "done".to_owned());
        for _ in 0..5_000 {
            audit.refuse(&actor(), Deed::new("invalidate_key", "users", "7"), "no");
        }
        let entries = audit.before(None, KEPT).entries;
        assert_eq!(entries.len(), REFUSALS_KEPT + 1);
        assert_eq!(entries[REFUSALS_KEPT].target, "42");
        assert!(entries[0].refused && !entries[REFUSALS_KEPT].refused);
        assert_eq!(audit.unwritten().len(), REFUSALS_KEPT + 1);
    }

    #[test]
    fn what_an_earlier_run_left_comes_after_what_was_done_since() {
        let (earlier, audit) = (Audit::default(), Audit::default());
        earlier.record(&actor(), Deed::new("cancel", "", "1"), "done".to_owned());
        audit.record(&actor(), Deed::new("cancel", "", "2"), "done".to_owned());
        audit.remember(earlier.before(None, 10).entries);
        audit.remember(earlier.before(None, 10).entries);
        audit.record(&actor(), Deed::new("cancel", "", "3"), "done".to_owned());
        let page = audit.before(None, 10);
        assert_eq!(page.entries.len(), 3);
        assert_eq!((targets(&page)[0], page.only_in_memory), ("3", 2));
        assert!(page.entries.is_sorted_by(|newer, older| newer.id >= older.id));
        audit.written(page.entries[0].id);
        assert!(audit.unwritten().is_empty());
    }

    #[test]
    fn deeds_are_marked_and_refusals_are_not() {
        let audit = Audit::default();
        audit.refuse(&actor(), Deed::new("invalidate_key", "users", "1"), "no");
        audit.record(&actor(), Deed::new("invalidate_key", "users", "2"), "done".to_owned());
        audit.record(&actor(), Deed::new("invalidate_key", "posts", "3"), "done".to_owned());
        let of = |cache| audit.markers(0, cache).len();
        assert_eq!((of(None), of(Some("users")), of(Some("cats"))), (2, 1, 0));
        assert!(audit.markers(u64::MAX, None).is_empty());
    }

    #[test]
    fn a_huge_target_is_cut() {
        let audit = Audit::default();
        let target = "x".repeat(100_000);
        audit.refuse(&actor(), Deed::new("a", "", &target), "no");
        assert_eq!(audit.before(None, 1).entries[0].target.len(), 512);
    }
}
