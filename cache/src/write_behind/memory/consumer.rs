use std::sync::Arc;

use tokio::task::JoinSet;

use super::letters::DeadLetterData;
use super::writer::Memory;
use crate::clock::Moment;
use crate::connection::Away;
use crate::key::{Key, Value};
use crate::user_code::contained;
use crate::write_behind::backlog::{Backlog, RowFailure, TakenRow, TakenRows};

impl<K: Key, V: Value + Clone> Backlog<K, V> for Memory<K, V> {
    type Receipt = u64;

    async fn take(&self, max: usize) -> Result<TakenRows<Self, K, V>, Away> {
        let mut state = self.state();
        let mut taken = Vec::new();
        while taken.len() < max
            && let Some(id) = state.untaken.pop_front()
        {
            taken.extend(state.hold(id));
        }
        Ok(taken)
    }

    async fn take_over(&self, _: usize) -> Result<TakenRows<Self, K, V>, Away> {
        Ok(Vec::new())
    }

    async fn again(&self, receipts: &[u64]) -> Result<TakenRows<Self, K, V>, Away> {
        let mut state = self.state();
        Ok(receipts.iter().filter_map(|id| state.hold(*id)).collect())
    }

    async fn written(&self, rows: &[TakenRow<u64, K, V>]) -> Result<(), Away> {
        let mut invalidations = JoinSet::new();
        for row in rows {
            let (cache, key) = (self.cache.clone(), Arc::clone(&row.key));
            invalidations.spawn(async move { cache.invalidate(&key).await });
        }
        // A panic of one invalidation does not affect the others.
        while invalidations.join_next().await.is_some() {}
        let mut gone = Vec::with_capacity(rows.len());
        let mut superseded = Vec::new();
        let mut state = self.state();
        for row in rows {
            superseded.extend(contained(|| state.aside.remove(&row.key)).flatten());
            match state.unwritten.of_id(row.receipt) {
                Some(newer) if newer.version != row.version => {
                    newer.sending = None;
                    newer.since = Moment::now();
                    state.untaken.push_back(row.receipt);
                }
                _ => gone.extend(state.unwritten.remove(row.receipt)),
            }
        }
        drop(state);
        self.room.notify_waiters();
        let_go(gone);
        let_go(superseded);
        Ok(())
    }

    fn refused(&self, rows: &[TakenRow<u64, K, V>]) {
        let mut state = self.state();
        for row in rows {
            if let Some(unwritten) = state.unwritten.of_id(row.receipt) {
                unwritten.sending = None;
                self.counts.coalesced.add(u64::from(unwritten.version != row.version));
            }
        }
    }

    async fn outlived(&self, _: &[u64]) {}

    async fn set_aside(
        &self,
        row: &TakenRow<u64, K, V>,
        failure: RowFailure<'_>,
    ) -> Result<bool, Away> {
        let aside = DeadLetterData {
            value: Arc::clone(&row.value),
            version: row.version,
            tries: failure.tries,
            error: failure.error.to_owned(),
            at: Moment::now(),
        };
        let gone = {
            let mut state = self.state();
            match state.unwritten.of_id(row.receipt) {
                Some(newer) if newer.version != row.version => {
                    newer.sending = None;
                    state.untaken.push_back(row.receipt);
                    return Ok(false);
                }
                _ => {}
            }
            // If the key's code panics now, it may succeed later. Until then its row waits.
            let kept = contained(|| state.aside.insert(Arc::clone(&row.key), aside));
            let older = kept.ok_or(Away)?;
            (state.unwritten.remove(row.receipt), older)
        };
        self.room.notify_waiters();
        let_go(vec![gone.0]);
        let_go(vec![gone.1]);
        self.cache.invalidate(&row.key).await;
        Ok(true)
    }

    async fn keep(&self, _: &[u64]) {}

    async fn hand_over(&self, _: &[u64]) {}

    /// A write checks for the shutdown under the same lock under which it is accepted.
    fn is_settled(&self) -> bool {
        true
    }
}

/// Call it without the lock, since keys and values may panic when they are dropped.
fn let_go<T>(gone: Vec<T>) {
    for gone in gone {
        contained(|| drop(gone));
    }
}
