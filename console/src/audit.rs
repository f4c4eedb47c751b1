use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use strata_report::AuditEntry;

use crate::clock::now_ms;
use crate::{Actor, ConsoleError};

const KEPT: usize = 1_000;
// Anybody can be refused as often as they like, which must not push out what was done.
const REFUSALS_KEPT: usize = 200;
const SHOWN_CHARS: usize = 512;

/// Who did what: the newest entries, in memory.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    newest_first: Mutex<VecDeque<Line>>,
}

#[derive(Debug)]
struct Line {
    refused: bool,
    entry: AuditEntry,
}

/// Something that somebody wants to do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deed<'a> {
    pub(crate) action: &'a str,
    /// Empty where it is not about a cache.
    pub(crate) cache: &'a str,
    /// The key, the pattern or the job.
    pub(crate) target: &'a str,
}

impl Audit {
    pub(crate) fn record(&self, actor: &Actor, deed: Deed<'_>, result: String) {
        self.push(Line { refused: false, entry: entry(actor, deed, result) });
    }

    pub(crate) fn refuse(&self, actor: &Actor, deed: Deed<'_>, why: &str) -> ConsoleError {
        self.push(Line { refused: true, entry: entry(actor, deed, format!("Refused: {why}")) });
        ConsoleError::Refused(why.to_owned())
    }

    pub(crate) fn newest_first(&self) -> Vec<AuditEntry> {
        let lines = self.newest_first.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(|line| line.entry.clone()).collect()
    }

    fn push(&self, line: Line) {
        let AuditEntry { actor, action, cache, target, result, .. } = &line.entry;
        tracing::info!(actor, action, cache, on = target, result, "audit");
        let mut lines = self.newest_first.lock().unwrap_or_else(PoisonError::into_inner);
        if line.refused && lines.iter().filter(|line| line.refused).count() >= REFUSALS_KEPT {
            let oldest = lines.iter().rposition(|line| line.refused);
            oldest.and_then(|oldest| lines.remove(oldest));
        }
        lines.truncate(KEPT - 1);
        lines.push_front(line);
    }
}

fn entry(actor: &Actor, deed: Deed<'_>, result: String) -> AuditEntry {
    AuditEntry {
        at_ms: now_ms(),
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

    #[test]
    fn the_newest_thousand_are_kept_newest_first() {
        let audit = Audit::default();
        let actor = Actor { name: "local".to_owned(), role: Role::Operator };
        for i in 0..1_500 {
            let target = i.to_string();
            let deed = Deed { action: "invalidate_key", cache: "users", target: &target };
            audit.record(&actor, deed, "done".to_owned());
        }
        let entries = audit.newest_first();
        assert_eq!(entries.len(), 1_000);
        assert_eq!((entries[0].target.as_str(), entries[999].target.as_str()), ("1499", "500"));
    }

    #[test]
    fn refusals_never_push_out_what_was_done() {
        let audit = Audit::default();
        let actor = Actor { name: "viewer".to_owned(), role: Role::Viewer };
        let deed = |target| Deed { action: "invalidate_key", cache: "users", target };
        audit.record(&actor, deed("42"), "done".to_owned());
        for _ in 0..5_000 {
            audit.refuse(&actor, deed("7"), "no");
        }
        let entries = audit.newest_first();
        assert_eq!(entries.len(), 201);
        assert_eq!(entries[200].target, "42");
    }

    #[test]
    fn a_huge_target_is_cut() {
        let audit = Audit::default();
        let actor = Actor { name: "viewer".to_owned(), role: Role::Viewer };
        let target = "x".repeat(100_000);
        audit.refuse(&actor, Deed { action: "a", cache: "", target: &target }, "no");
        assert_eq!(audit.newest_first()[0].target.len(), 512);
    }
}
