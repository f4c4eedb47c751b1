use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use super::writer::{Durable, Room, WriteTerms};
use crate::key::{Key, Value};
use crate::read::to_its_end;
use crate::write_behind::row::WriteError;

/// How often the first writer in the queue asks Redis again, since other nodes make room too.
const ROOM_POLL: Duration = Duration::from_millis(50);

/// This node's writers that wait for room, in order of arrival. Only the first one asks Redis. It
/// wakes the next as soon as its own write is accepted.
#[derive(Default)]
pub(crate) struct RoomWaiters {
    first: Mutex<()>,
    n: AtomicUsize,
}

/// A position in the queue, until it is dropped.
pub(crate) struct QueuePosition<'a>(&'a RoomWaiters);

impl RoomWaiters {
    fn is_any(&self) -> bool {
        self.n.load(SeqCst) > 0
    }

    async fn queue(&self) -> (QueuePosition<'_>, MutexGuard<'_, ()>) {
        self.n.fetch_add(1, SeqCst);
        let position = QueuePosition(self);
        (position, self.first.lock().await)
    }
}

impl Drop for QueuePosition<'_> {
    fn drop(&mut self) {
        self.0.n.fetch_sub(1, SeqCst);
    }
}

impl<K: Key, V: Value + Clone> Durable<K, V> {
    /// Writes, and waits while there is no room.
    pub(crate) async fn write(
        self: &Arc<Self>,
        key: K,
        value: V,
        version: Option<u64>,
    ) -> Result<u64, WriteError> {
        let value = Arc::new(value);
        // Earlier writers go first, but a key that already waits has its room.
        let room = if self.room_waiters.is_any() { Room::OfItsKey } else { Room::Any };
        let first =
            self.attempt(key.clone(), Arc::clone(&value), WriteTerms { version, room }).await;
        if !matches!(first, Err(WriteError::Full { .. })) {
            return first;
        }
        let _first = self.room_waiters.queue().await;
        let terms = WriteTerms { version, room: Room::Any };
        loop {
            let freed = self.room.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            let attempt = self.attempt(key.clone(), Arc::clone(&value), terms).await;
            if !matches!(attempt, Err(WriteError::Full { .. })) {
                return attempt;
            }
            let pause = ROOM_POLL.mul_f64(0.75 + rand::random::<f64>() / 2.0);
            tokio::time::timeout(pause, freed).await.unwrap_or(());
        }
    }

    /// One attempt, which continues if its caller goes away.
    pub(crate) async fn attempt(
        self: &Arc<Self>,
        key: K,
        value: Arc<V>,
        terms: WriteTerms,
    ) -> Result<u64, WriteError> {
        let writing = tokio::spawn(Arc::clone(self).try_write(key, value, terms));
        to_its_end(writing).await.unwrap_or(Err(WriteError::Closed))
    }
}
