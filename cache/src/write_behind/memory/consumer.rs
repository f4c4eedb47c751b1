use std::sync::Arc;

use tokio::task::JoinSet;

use super::state::SetAside;
use super::writer::Memory;
use crate::clock::Moment;
use crate::l2::Away;
use crate::user_code::contained;
use crate::write_behind::backlog::{Backlog, Failure, Held, Taken};
use crate::{Key, Value};

impl<K: Key, V: Value + Clone> Backlog<K, V> for Memory<K, V> {
    type Receipt = K;

    async fn take(&self, max: usize) -> Result<Taken<Self, K, V>, Away> {
        let mut state = self.state();
        let n_taken = max.min(state.untaken.len());
        let keys: Vec<K> = state.untaken.drain(..n_taken).collect();
        let mut taken = Vec::with_capacity(keys.len());
        for key in keys {
            match contained(|| state.hold(&key)) {
                Some(held) => taken.extend(held),
                // It cannot be copied, and keeps no other from being taken.
                None => state.untaken.push_back(key),
            }
        }
        Ok(taken)
    }

    async fn take_over(&self) -> Result<Option<Held<K, K, V>>, Away> {
        Ok(None)
    }

    async fn again(&self, receipts: &[K]) -> Result<Taken<Self, K, V>, Away> {
        let mut state = self.state();
        Ok(receipts.iter().filter_map(|key| state.hold(key)).collect())
    }

    async fn written(&self, rows: &[Held<K, K, V>]) -> Result<(), Away> {
        let mut invalidations = JoinSet::new();
        for row in rows {
            let (cache, key) = (self.cache.clone(), row.key.clone());
            invalidations.spawn(async move { cache.invalidate(&key).await });
        }
        invalidations.join_all().await;
        let mut state = self.state();
        for row in rows {
            state.aside.remove(&row.key);
            match state.unwritten.get_mut(&row.key) {
                Some(newer) if newer.version != row.version => {
                    newer.sending = None;
                    newer.since = Moment::now();
                    state.untaken.push_back(row.key.clone());
                }
                _ => {
                    state.unwritten.remove(&row.key);
                }
            }
        }
        drop(state);
        self.room.notify_waiters();
        Ok(())
    }

    fn refused(&self, rows: &[Held<K, K, V>]) {
        let mut state = self.state();
        for row in rows {
            if let Some(unwritten) = state.unwritten.get_mut(&row.key) {
                unwritten.sending = None;
                self.counts.coalesced.add(u64::from(unwritten.version != row.version));
            }
        }
    }

    async fn set_aside(&self, row: &Held<K, K, V>, failure: Failure<'_>) -> Result<bool, Away> {
        {
            let mut state = self.state();
            match state.unwritten.get_mut(&row.key) {
                Some(newer) if newer.version != row.version => {
                    state.untaken.push_back(row.key.clone());
                    return Ok(false);
                }
                _ => {}
            }
            let aside = SetAside {
                value: Arc::clone(&row.value),
                version: row.version,
                tries: failure.tries,
                error: failure.error.to_owned(),
                at: Moment::now(),
            };
            state.aside.insert(row.key.clone(), aside);
            state.unwritten.remove(&row.key);
        }
        self.room.notify_waiters();
        self.cache.invalidate(&row.key).await;
        Ok(true)
    }

    async fn keep(&self, _: &[K]) {}

    async fn hand_over(&self, _: &[K]) {}
}
