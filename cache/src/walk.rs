//! Walks over L1 for consoles: what lies there, when it expires, how large it is.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;

use strata_report::{KeyRow, LogHistogram};

use crate::clock::{Moment, millis};
use crate::core::Core;
use crate::l1::{Capacity, Entry};
use crate::{Key, Pattern, Value};

/// Which keys of L1 to list.
#[derive(Clone, Copy, Debug)]
pub struct L1List<'a> {
    /// Those that match.
    pub pattern: &'a Pattern,
    /// Of these, those after this key by name; `None` is from the first on.
    pub after: Option<&'a str>,
    /// The most to list.
    pub limit: usize,
}

/// When the entries of one L1 expire, and how large they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct L1Survey {
    /// Fresh entries that were looked at.
    pub entries: u64,
    /// Whether there are more.
    pub sampled: bool,
    /// How many expire in each of the next 360 spans of ten seconds.
    pub expiring: Vec<u64>,
    /// Their weights; `None` where they are not weighed.
    pub bytes: Option<LogHistogram>,
}

impl L1List<'_> {
    pub(crate) fn is_after(&self, key: &str) -> bool {
        self.after.is_none_or(|after| key > after)
    }
}

impl L1Survey {
    /// The most entries that are looked at.
    pub const MAX_ENTRIES: usize = 100_000;

    /// How many spans are looked ahead.
    pub const N_SPANS: usize = 360;

    const SPAN_MS: u64 = 10_000;

    /// Adds what another node's L1 holds.
    pub fn merge(&mut self, other: &Self) {
        self.entries += other.entries;
        self.sampled |= other.sampled;
        self.expiring.resize(self.expiring.len().max(other.expiring.len()), 0);
        self.expiring.iter_mut().zip(&other.expiring).for_each(|(mine, theirs)| *mine += theirs);
        match (&mut self.bytes, &other.bytes) {
            (Some(mine), Some(theirs)) => mine.merge(theirs),
            (mine @ None, theirs) => mine.clone_from(theirs),
            (Some(_), None) => {}
        }
    }
}

impl L1Survey {
    fn add<V>(&mut self, now: Moment, entry: &Entry<V>) {
        self.entries += 1;
        let span = millis(entry.fresh_until.since(now)) / Self::SPAN_MS;
        if let Some(n) = usize::try_from(span).ok().and_then(|span| self.expiring.get_mut(span)) {
            *n += 1;
        }
        if let Some(bytes) = &mut self.bytes {
            bytes.record(u64::from(entry.weight));
        }
    }
}

/// The first keys by name of those that a list wants: never more than its limit, however many come.
pub(crate) struct FirstRows<'a, T> {
    list: &'a L1List<'a>,
    first: BTreeMap<String, T>,
}

impl<'a, T> FirstRows<'a, T> {
    pub(crate) fn new(list: &'a L1List<'_>) -> Self {
        Self { list, first: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, key: String, entry: T) {
        if !self.list.is_after(&key) {
            return;
        }
        self.first.insert(key, entry);
        if self.first.len() > self.list.limit {
            self.first.pop_last();
        }
    }

    pub(crate) fn rows(self, row: impl FnMut((String, T)) -> KeyRow) -> Vec<KeyRow> {
        self.first.into_iter().map(row).collect()
    }
}

impl<K: Key, V: Value> Core<K, V> {
    /// Visits the fresh entries that match, with their keys' texts.
    async fn each_fresh(&self, pattern: &Pattern, mut visit: impl FnMut(String, Entry<V>) + Send) {
        let walked = self
            .l1
            .walk(|key, entry| {
                if self.is_fresh(key, &entry) {
                    let text = key.to_string();
                    if pattern.matches(&text) {
                        visit(text, entry);
                    }
                }
                ControlFlow::Continue(())
            })
            .await;
        self.recorder.panics.add(walked.n_panics);
    }

    pub(crate) async fn matching(&self, pattern: &Pattern, limit: usize) -> (u64, Vec<String>) {
        let (mut n_keys, mut some) = (0, Vec::new());
        self.each_fresh(pattern, |key, _| {
            n_keys += 1;
            if some.len() < limit {
                some.push(key);
            }
        })
        .await;
        (n_keys, some)
    }

    pub(crate) async fn list(&self, list: &L1List<'_>) -> (u64, Vec<KeyRow>) {
        let (mut n_keys, mut first) = (0, FirstRows::new(list));
        self.each_fresh(list.pattern, |key, entry| {
            n_keys += 1;
            first.add(key, entry);
        })
        .await;
        (n_keys, first.rows(|(key, entry)| self.row(key, &entry)))
    }

    pub(crate) async fn among(&self, keys: &HashSet<&str>) -> Vec<KeyRow> {
        let mut rows = Vec::new();
        self.each_fresh(&Pattern::prefix(""), |key, entry| {
            if keys.contains(key.as_str()) {
                rows.push(self.row(key, &entry));
            }
        })
        .await;
        rows
    }

    pub(crate) async fn survey(&self) -> L1Survey {
        let now = Moment::now();
        let mut survey = L1Survey {
            sampled: self.l1.entry_count() > L1Survey::MAX_ENTRIES as u64,
            expiring: vec![0; L1Survey::N_SPANS],
            bytes: self.is_weighed().then(LogHistogram::default),
            ..L1Survey::default()
        };
        let walked = self
            .l1
            .walk(|key, entry| {
                if self.is_fresh(key, &entry) {
                    survey.add(now, &entry);
                }
                match survey.entries < L1Survey::MAX_ENTRIES as u64 {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                }
            })
            .await;
        self.recorder.panics.add(walked.n_panics);
        survey
    }

    fn row(&self, key: String, entry: &Entry<V>) -> KeyRow {
        let now = Moment::now();
        KeyRow {
            key,
            l1: vec![self.node.id().to_owned()],
            l2: None,
            group: self.recorder.group_name(entry.label),
            age_ms: Some(millis(now.since(entry.loaded_at))),
            expires_in_ms: Some(millis(entry.fresh_until.since(now))),
            bytes: self.is_weighed().then(|| u64::from(entry.weight)),
            ..KeyRow::default()
        }
    }

    fn is_weighed(&self) -> bool {
        matches!(self.l1.capacity(), Capacity::Weight { .. })
    }
}
