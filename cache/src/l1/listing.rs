//! Which keys of L1 to list, and the result of a survey of L1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strata_report::{KeyRow, LogHistogram};

use super::entry::Entry;
use crate::clock::{Moment, millis};
use crate::pattern::Pattern;

/// Which keys of L1 to list.
#[derive(Clone, Copy, Debug)]
pub struct L1List<'a> {
    /// Lists keys that match.
    pub pattern: &'a Pattern,
    /// Lists only keys after this one by name; `None` starts at the first.
    pub after: Option<&'a str>,
    /// The greatest number of keys to list.
    pub limit: usize,
}

/// When the entries of one L1 expire, and how large they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct L1Survey {
    /// The number of fresh entries that were examined.
    pub entries: u64,
    /// Whether there are more entries.
    pub sampled: bool,
    /// How many expire in each of the next 360 spans of ten seconds.
    pub expiring: Vec<u64>,
    /// The entries' weights; `None` if they are not weighed.
    pub bytes: Option<LogHistogram>,
}

impl L1List<'_> {
    pub(crate) fn is_after(&self, key: &str) -> bool {
        self.after.is_none_or(|after| key > after)
    }
}

impl L1Survey {
    /// The greatest number of entries that are examined.
    pub const MAX_ENTRIES: usize = 100_000;

    /// How many spans are predicted.
    pub const N_SPANS: usize = 360;

    const SPAN_MS: u64 = 10_000;

    /// Adds the survey of another node's L1.
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
    pub(crate) fn add<V>(&mut self, now: Moment, entry: &Entry<V>) {
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

/// The first keys by name of a list: never more than its limit, however many are offered.
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
