//! Which tags were invalidated when, as far as this node knows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The greatest number of tags that a cache remembers. Beyond it, the older half of the tags that
/// no entry carries is forgotten.
const MAX_MARKS: usize = 10_000;

/// Which tags of a cache were invalidated when, as far as this node knows.
///
/// An entry carries the marks of its tags and the tick at which its fill began. It counts while
/// none of its tags was invalidated at a later tick. An invalidation therefore changes one mark,
/// however many entries carry it. It also overtakes loads under way, although a load's tags are
/// unknown before it ends. In L2 the bus's sequence number takes the place of the tick. These are
/// counters, not clocks, as in `cacheable`.
#[derive(Default)]
pub(crate) struct Tags {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    marks: HashMap<Arc<str>, Arc<Mark>>,
    /// The latest tick and bus number at which a tag that is not in the table may have been
    /// invalidated.
    forgotten: (u64, u64),
    n_forgotten: u64,
    /// Messages up to this number were dispatched before this cache could hear them.
    born: u64,
    /// At this many marks the unused ones are looked for.
    sweep_at: usize,
    /// Raised when the sequence numbers are forgotten.
    generation: u64,
}

/// The tick and the bus number of a tag's last invalidation.
pub(crate) struct Mark {
    name: Arc<str>,
    tick: AtomicU64,
    sequence: AtomicU64,
}

/// The tags of one entry in L1.
pub(crate) struct Tagged {
    /// The tick at which its fill began.
    tick: u64,
    marks: Box<[Arc<Mark>]>,
}

/// What this node knows of the tags of an entry in L2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TagState {
    Holds,
    Overtaken,
    /// Only Redis can tell.
    Unknown,
}

impl Tagged {
    /// Whether no tag was invalidated since the fill began.
    pub(crate) fn holds(&self) -> bool {
        self.marks.iter().all(|mark| mark.tick.load(Ordering::Acquire) <= self.tick)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.marks.iter().map(|mark| &*mark.name)
    }
}

impl Tags {
    /// The tags of an entry whose fill began at `tick`. `None` if it has none.
    pub(crate) fn tagged(&self, names: &[Arc<str>], tick: u64) -> Option<Arc<Tagged>> {
        if names.is_empty() {
            return None;
        }
        let mut table = self.table();
        let marks = names.iter().map(|name| table.mark(name)).collect();
        Some(Arc::new(Tagged { tick, marks }))
    }

    /// Overtakes every entry and fill that carries the tag. `raise` returns the tick.
    pub(crate) fn invalidate(&self, name: &str, raise: impl FnOnce() -> u64) {
        let mut table = self.table();
        let mark = table.mark(name);
        mark.tick.store(raise(), Ordering::Release);
    }

    /// Records the number at which Redis invalidated the tag.
    pub(crate) fn heard(&self, name: &str, sequence: u64) {
        self.table().mark(name).sequence.fetch_max(sequence, Ordering::AcqRel);
    }

    /// Whether an entry of L2 stamped with `stamp` holds. `since` is the number from which the bus
    /// was heard without a gap; `None` while the bus is silent.
    pub(crate) fn judge(&self, names: &[Arc<str>], stamp: u64, since: Option<u64>) -> TagState {
        let table = self.table();
        let mut verdict = TagState::Holds;
        for name in names {
            let known = table.marks.get(name).map(|mark| mark.sequence.load(Ordering::Acquire));
            match (known.unwrap_or(0), since) {
                (sequence, _) if sequence > stamp => return TagState::Overtaken,
                (1.., Some(_)) => {}
                (_, Some(since)) if stamp >= since.max(table.forgotten.1).max(table.born) => {}
                _ => verdict = TagState::Unknown,
            }
        }
        verdict
    }

    /// Records that this cache did not hear the messages up to this number.
    pub(crate) fn born(&self, sequence: u64) {
        self.table().born = sequence;
    }

    /// The generation to pass to [`Tags::learn`] with numbers read from Redis from now on.
    pub(crate) fn generation(&self) -> u64 {
        self.table().generation
    }

    /// Records numbers read from Redis, unless a gap came in between.
    pub(crate) fn learn(&self, generation: u64, numbers: &[(Arc<str>, u64)]) {
        let mut table = self.table();
        if table.generation != generation {
            return;
        }
        for (name, sequence) in numbers {
            table.mark(name).sequence.fetch_max(*sequence, Ordering::AcqRel);
        }
    }

    /// Forgets what was heard, after messages were or may have been missed.
    pub(crate) fn forget_sequences(&self) {
        let mut table = self.table();
        table.generation += 1;
        table.forgotten.1 = 0;
        table.marks.values().for_each(|mark| mark.sequence.store(0, Ordering::Release));
    }

    /// How many tags are known on this node, and how many were forgotten.
    pub(crate) fn known_and_forgotten(&self) -> (u64, u64) {
        let table = self.table();
        (table.marks.len() as u64, table.n_forgotten)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn mark(&mut self, name: &str) -> Arc<Mark> {
        if let Some(mark) = self.marks.get(name) {
            return Arc::clone(mark);
        }
        if self.marks.len() >= self.sweep_at.max(MAX_MARKS) {
            self.forget_unused();
            self.sweep_at = 2 * self.marks.len();
        }
        let name: Arc<str> = Arc::from(name);
        // This tag may be one of the forgotten. 0 means that its number is unknown.
        let (tick, sequence) = (AtomicU64::new(self.forgotten.0), AtomicU64::new(0));
        let mark = Arc::new(Mark { name: Arc::clone(&name), tick, sequence });
        self.marks.insert(name, Arc::clone(&mark));
        mark
    }

    /// Forgets the older half, so that recent invalidations stay known.
    fn forget_unused(&mut self) {
        let is_unused = |mark: &Arc<Mark>| Arc::strong_count(mark) == 1;
        let unused = self.marks.values().filter(|mark| is_unused(mark));
        let mut ticks: Vec<u64> = unused.map(|mark| mark.tick.load(Ordering::Acquire)).collect();
        if ticks.is_empty() {
            return;
        }
        let middle = (ticks.len() - 1) / 2;
        let (_, middle, _) = ticks.select_nth_unstable(middle);
        let (forgotten, n_before) = (&mut self.forgotten, self.marks.len());
        self.marks.retain(|_, mark| {
            let tick = mark.tick.load(Ordering::Acquire);
            let is_kept = !is_unused(mark) || tick > *middle;
            if !is_kept {
                forgotten.0 = forgotten.0.max(tick);
                forgotten.1 = forgotten.1.max(mark.sequence.load(Ordering::Acquire));
            }
            is_kept
        });
        self.n_forgotten += (n_before - self.marks.len()) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    /// Invalidates tags one after the other, and hears each of them.
    fn invalidated(tags: &Tags, numbers: std::ops::Range<u64>) {
        for n in numbers {
            let name = format!("user:{n}");
            tags.invalidate(&name, || n);
            tags.heard(&name, 1_000_000 + n);
        }
    }

    #[test]
    fn beyond_the_limit_only_the_older_half_is_forgotten() {
        let tags = Tags::default();
        let n = MAX_MARKS as u64;
        invalidated(&tags, 1..n + 2);
        let (n_known, n_forgotten) = tags.known_and_forgotten();
        assert_eq!((n_known, n_forgotten), (n / 2 + 1, n / 2));
        let stamp = 1_000_000 + n / 2;
        let verdict = |name: &str, stamp| tags.judge(&of(&[name]), stamp, Some(1));
        assert_eq!(
            verdict("keep", stamp),
            TagState::Holds,
            "it was stamped after what is forgotten"
        );
        assert_eq!(verdict("keep", stamp - 1), TagState::Unknown, "Redis is asked");
        assert_eq!(verdict(&format!("user:{n}"), stamp), TagState::Overtaken, "it is known");
    }

    #[test]
    fn an_entry_filled_after_what_is_forgotten_outlives_any_number_of_other_tags() {
        let tags = Tags::default();
        let n = MAX_MARKS as u64;
        invalidated(&tags, 1..n + 2);
        let kept = tags.tagged(&of(&["keep"]), n).unwrap();
        let older = tags.tagged(&of(&["unknown"]), n / 2 - 1).unwrap();
        invalidated(&tags, n + 2..4 * n);
        assert!(kept.holds());
        assert!(!older.holds(), "what is forgotten may have been this tag");
        assert!(tags.known_and_forgotten().0 <= n + 2);
    }
}
