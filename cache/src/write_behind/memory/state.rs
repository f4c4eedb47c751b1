use std::collections::VecDeque;
use std::sync::Arc;

use super::letters::DeadLetterStore;
use super::rows::UnwrittenRows;
use crate::key::Key;
use crate::write_behind::backlog::TakenRow;

pub(super) struct State<K, V> {
    pub(super) unwritten: UnwrittenRows<K, V>,
    /// Numbers of unwritten rows that the flusher has not taken.
    pub(super) untaken: VecDeque<u64>,
    pub(super) aside: DeadLetterStore<K, V>,
    pub(super) last_version: u64,
}

impl<K: Key, V> State<K, V> {
    pub(super) fn new() -> Self {
        Self {
            unwritten: UnwrittenRows::new(),
            untaken: VecDeque::new(),
            aside: DeadLetterStore::new(),
            last_version: 0,
        }
    }

    /// Takes the current unwritten value for sending. Runs no code of the key or the value.
    pub(super) fn hold(&mut self, id: u64) -> Option<TakenRow<u64, K, V>> {
        let unwritten = self.unwritten.of_id(id)?;
        unwritten.sending = Some(unwritten.version);
        Some(TakenRow {
            receipt: id,
            key: Arc::clone(&unwritten.key),
            value: Arc::clone(&unwritten.value),
            version: unwritten.version,
            deaths: 0,
        })
    }

    pub(super) fn next_version(&mut self) -> u64 {
        self.last_version += 1;
        self.last_version
    }
}
