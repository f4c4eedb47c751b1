//! Walks over L1 for consoles: what lies there, when it expires, how large it is.

use std::collections::{BTreeMap, HashSet};

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

impl<K: Key, V: Value> Core<K, V> {
    pub(crate) fn list(&self, list: &L1List<'_>) -> (u64, Vec<KeyRow>) {
        let mut n_keys = 0;
        let mut first = BTreeMap::new();
        for (key, entry) in self.l1.iter().filter(|(_, entry)| self.is_fresh(entry)) {
            let text = key.to_string();
            if !list.pattern.matches(&text) {
                continue;
            }
            n_keys += 1;
            if list.is_after(&text) {
                first.insert(text, entry);
            }
            // Only the first are wanted, however many there are.
            if first.len() > list.limit {
                first.pop_last();
            }
        }
        (n_keys, first.into_iter().map(|(key, entry)| self.row(key, &entry)).collect())
    }

    pub(crate) fn among(&self, keys: &HashSet<&str>) -> Vec<KeyRow> {
        let fresh = self.l1.iter().filter(|(_, entry)| self.is_fresh(entry));
        let wanted = fresh.filter_map(|(key, entry)| {
            let text = key.to_string();
            keys.contains(text.as_str()).then(|| self.row(text, &entry))
        });
        wanted.collect()
    }

    pub(crate) fn survey(&self) -> L1Survey {
        let now = Moment::now();
        let mut survey = L1Survey {
            sampled: self.l1.entry_count() > L1Survey::MAX_ENTRIES as u64,
            expiring: vec![0; L1Survey::N_SPANS],
            bytes: self.is_weighed().then(LogHistogram::default),
            ..L1Survey::default()
        };
        let fresh = self.l1.iter().filter(|(_, entry)| self.is_fresh(entry));
        for (_, entry) in fresh.take(L1Survey::MAX_ENTRIES) {
            survey.entries += 1;
            let span = millis(entry.fresh_until.since(now)) / L1Survey::SPAN_MS;
            if let Some(n) =
                usize::try_from(span).ok().and_then(|span| survey.expiring.get_mut(span))
            {
                *n += 1;
            }
            if let Some(bytes) = &mut survey.bytes {
                bytes.record(u64::from(entry.weight));
            }
        }
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
