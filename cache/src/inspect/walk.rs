//! Walks over L1: its entries, when they expire, and how large they are.

use std::collections::HashSet;
use std::ops::ControlFlow;

use strata_report::{KeyRow, LogHistogram};

use crate::clock::{Moment, millis};
use crate::key::{Key, Value};
use crate::l1::{Capacity, Entry, FirstRows, L1List, L1Survey, count_in_survey};
use crate::pattern::Pattern;
use crate::read::Core;

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
                    count_in_survey(&mut survey, now, &entry);
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

    pub(crate) fn row(&self, key: String, entry: &Entry<V>) -> KeyRow {
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
