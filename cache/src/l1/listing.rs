//! Which keys of L1 to list, and how a survey of L1 counts.

use std::collections::BTreeMap;

use strata_report::{KeyRow, L1Survey};

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

impl L1List<'_> {
    pub(crate) fn is_after(&self, key: &str) -> bool {
        self.after.is_none_or(|after| key > after)
    }
}

/// Counts an entry in a survey.
pub(crate) fn count_in_survey<V>(survey: &mut L1Survey, now: Moment, entry: &Entry<V>) {
    survey.entries += 1;
    let span = millis(entry.fresh_until.since(now)) / L1Survey::SPAN_MS;
    if let Some(n) = usize::try_from(span).ok().and_then(|span| survey.expiring.get_mut(span)) {
        *n += 1;
    }
    if let Some(bytes) = &mut survey.bytes {
        bytes.record(u64::from(entry.weight));
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
