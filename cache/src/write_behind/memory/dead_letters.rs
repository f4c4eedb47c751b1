use std::sync::Arc;

use super::letters::KeyedDeadLetter;
use super::state::State;
use super::writer::Memory;
use crate::clock::{Moment, millis, now_ms};
use crate::key::{Key, Value};
use crate::node::DeadLetterFilter;
use crate::user_code::caught;
use crate::write_behind::dead_letters::{
    Cursor, LetterScan, LetterValue, MoveCounts, StoredLetter,
};
use crate::write_behind::row::WriteError;

/// The result of queueing a dead letter again.
enum Outcome<K, V> {
    Queued(Arc<K>),
    Superseded(Option<KeyedDeadLetter<K, V>>),
    Gone,
}

impl<K: Key, V: Value + Clone> Memory<K, V> {
    /// The dead letters after the cursor, at most this many. A filter by id alone finds its letter
    /// at once.
    pub(crate) fn scan(
        &self,
        filter: &DeadLetterFilter,
        cursor: &Cursor,
        count: usize,
    ) -> LetterScan<V> {
        let number = |text: &str| text.parse::<u64>().ok();
        let (after, last) = match filter.only_id().map(number) {
            Some(Some(id)) => (id.saturating_sub(1), Some(id)),
            Some(None) => (u64::MAX, None),
            None => (cursor.after.as_deref().and_then(number).unwrap_or(0), cursor.until),
        };
        let state = self.state();
        let looked_at_ms = now_ms();
        let until = last.unwrap_or(state.last_version);
        let mut found = Vec::new();
        let mut has_more = false;
        for (key, row) in state.aside.after(after).take_while(|(_, row)| row.version <= until) {
            has_more = found.len() == count;
            if has_more {
                break;
            }
            let letter = StoredLetter {
                id: row.version.to_string(),
                key: String::new(),
                value: LetterValue::Here(Arc::clone(&row.value)),
                version: row.version,
                tries: row.tries,
                reason: row.error.clone(),
                since_ms: now_ms().saturating_sub(millis(Moment::now().since(row.at))),
            };
            found.push((Arc::clone(key), letter));
        }
        let total = state.aside.len() as u64;
        drop(state);
        // A key that cannot be printed still has a row that is listed.
        let named = |(key, letter): (Arc<K>, StoredLetter<V>)| {
            let text = self.contain(move || key.to_string());
            StoredLetter { key: text.unwrap_or_default(), ..letter }
        };
        let letters = found.into_iter().map(named).collect();
        LetterScan { letters, has_more, until, until_ms: Some(looked_at_ms), total }
    }

    pub(crate) async fn redrive(
        self: Arc<Self>,
        letters: Vec<StoredLetter<V>>,
    ) -> Result<MoveCounts, WriteError> {
        let mut moved = MoveCounts::default();
        let (mut queued, mut superseded) = (Vec::new(), Vec::new());
        {
            let mut state = self.state();
            if self.control.closing.is_cancelled() {
                return Err(WriteError::Closed);
            }
            for letter in &letters {
                match self.contain(|| self.queue_again(&mut state, letter.version)) {
                    Some(Outcome::Queued(key)) => queued.push(key),
                    Some(Outcome::Superseded(letter)) => superseded.extend(letter),
                    Some(Outcome::Gone) | None => {}
                }
            }
            moved.left = state.aside.len() as u64;
        }
        moved.redriven = queued.len() as u64;
        moved.superseded = superseded.len() as u64;
        // Values may panic when they are dropped.
        for letter in superseded {
            self.contain(|| drop(letter));
        }
        self.counts.redriven.add(moved.redriven);
        self.counts.dropped.add(moved.superseded);
        for key in &queued {
            // The value is already unwritten. Code of one key must not keep the others from being
            // published.
            let _ = caught(self.publish(key)).await;
        }
        self.room.notify_waiters();
        Ok(moved)
    }

    pub(crate) fn forget(&self, letters: &[StoredLetter<V>]) -> MoveCounts {
        let mut state = self.state();
        let taken = letters
            .iter()
            .filter_map(|letter| self.contain(|| state.aside.take(letter.version)).flatten());
        let taken: Vec<_> = taken.collect();
        let left = state.aside.len() as u64;
        drop(state);
        let dropped = taken.len() as u64;
        // Values may panic when they are dropped.
        for row in taken {
            self.contain(|| drop(row));
        }
        self.counts.dropped.add(dropped);
        self.room.notify_waiters();
        MoveCounts { dropped, left, ..MoveCounts::default() }
    }

    /// A copy of the value; `None` if copying panics.
    pub(crate) fn copy(&self, value: &Arc<V>) -> Option<V> {
        self.contain(|| V::clone(value))
    }

    /// Removes the dead letter only once its value waits, so that a panic loses nothing.
    fn queue_again(&self, state: &mut State<K, V>, version: u64) -> Outcome<K, V> {
        let Some((key, row)) = state.aside.get(version) else { return Outcome::Gone };
        let (key, value) = (Arc::clone(key), Arc::clone(&row.value));
        if state.unwritten.contains_key(&key) {
            return Outcome::Superseded(state.aside.take(version));
        }
        self.insert(state, &key, value);
        // The waiting row shares the value, so dropping the dead letter drops no value.
        state.aside.take(version);
        Outcome::Queued(key)
    }

    fn contain<R>(&self, code: impl FnOnce() -> R) -> Option<R> {
        self.cache.core().recorder.contain(code)
    }
}
