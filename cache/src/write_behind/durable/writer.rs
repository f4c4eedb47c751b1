use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_report::Origin;
use tokio::sync::Notify;

use super::queue::{Enqueued, Schemas, UnwrittenQueue};
use super::reader::Migrate;
use super::room_waiters::RoomWaiters;
use super::stored;
use super::unwritten::Unwritten;
use crate::cache::Cache;
use crate::connection::Away;
use crate::error::BuildError;
use crate::key::{Key, Value};
use crate::l2::Keyspace;
use crate::read::Core;
use crate::write_behind::row::WriteError;
use crate::write_behind::settings::FlushSettings;
use crate::write_behind::shared::{Control, WriteBehindCounts};

/// Unwritten values in Redis, as one node sees them.
///
/// The order of steps keeps readers right. A load asks the hash before the source. A write puts its
/// value into the hash in the same step that takes the key's lease away and tells the bus. So a
/// load that found nothing in the hash cannot commit a row that it read before the write. The value
/// leaves the hash only after the source has it.
pub(crate) struct Durable<K, V> {
    pub(super) cache: Cache<K, V>,
    pub(super) settings: FlushSettings,
    pub(super) control: Arc<Control>,
    pub(super) counts: Arc<WriteBehindCounts>,
    pub(super) queue: UnwrittenQueue,
    pub(super) unwritten: Arc<Unwritten<K, V>>,
    pub(super) room: Notify,
    pub(super) room_waiters: RoomWaiters,
    /// This node's writes since the flusher last took rows.
    pub(super) n_new: AtomicUsize,
    pub(super) seen: LastSeen,
    /// Writes that are on their way to Redis.
    pub(super) n_writing: AtomicUsize,
    /// Where the next search for silent consumers goes on.
    pub(super) cursor: Mutex<String>,
    pub(super) migrate: Option<Migrate<V>>,
}

/// The state of Redis as of the last round.
pub(super) struct LastSeen {
    pub(super) waiting: AtomicU64,
    pub(super) aside: AtomicU64,
    pub(super) oldest_age_ms: AtomicI64,
    pub(super) other_schema: AtomicU64,
}

impl<K: Key, V: Value + Clone> Durable<K, V> {
    pub(crate) fn new(
        cache: Cache<K, V>,
        settings: FlushSettings,
        (control, counts): (Arc<Control>, Arc<WriteBehindCounts>),
        migrate: Option<Migrate<V>>,
    ) -> Result<Self, BuildError> {
        let core = cache.core();
        if core.l2.is_none() {
            return Err(BuildError::NoL2(core.name.clone()));
        }
        let shared = core.node.shared();
        let own = core.policy.schema;
        let schemas = Schemas { own, oldest: if migrate.is_some() { 0 } else { own } };
        let queue = UnwrittenQueue::new(shared.bus(), (&core.name, shared.id()), schemas);
        let seen = LastSeen {
            waiting: AtomicU64::new(0),
            aside: AtomicU64::new(0),
            oldest_age_ms: AtomicI64::new(-1),
            other_schema: AtomicU64::new(0),
        };
        Ok(Self {
            queue,
            cache,
            settings,
            control,
            counts,
            unwritten: Arc::new(Unwritten::new()),
            room: Notify::new(),
            room_waiters: RoomWaiters::default(),
            n_new: AtomicUsize::new(0),
            seen,
            n_writing: AtomicUsize::new(0),
            cursor: Mutex::new("0-0".to_owned()),
            migrate,
        })
    }

    pub(super) fn core(&self) -> &Arc<Core<K, V>> {
        self.cache.core()
    }

    pub(super) fn l2(&self) -> Result<&Keyspace, Away> {
        self.core().l2.as_ref().ok_or(Away)
    }

    /// One attempt. An acknowledged write is in Redis.
    pub(crate) async fn try_write(
        self: Arc<Self>,
        key: K,
        value: Arc<V>,
        WriteTerms { version, room }: WriteTerms,
    ) -> Result<u64, WriteError> {
        let _on_its_way = WriteInFlight::begin(&self.n_writing);
        if self.control.closing.is_cancelled() {
            return Err(WriteError::Closed);
        }
        let l2 = self.l2().map_err(|Away| WriteError::Away)?;
        if l2.link.is_open() {
            return Err(WriteError::Away);
        }
        let (text, tail, began) = self.begin(&key, &value)?;
        let capacity = if room == Room::Any { self.settings.capacity } else { 0 };
        let answer = self.queue.enqueue(l2, (&text, &tail), version, capacity).await;
        // Even if code panics here, the entry in L1 is out of date by now.
        let end = || match answer {
            Ok(Enqueued::Taken { version, .. }) => {
                self.unwritten.end(&key, began, Some((value, version)))
            }
            Ok(Enqueued::Full | Enqueued::Overtaken { .. }) => {
                self.unwritten.end(&key, began, None)
            }
            Err(Away) => self.unwritten.lost(&key),
        };
        if self.core().recorder.contain(end).is_none() {
            self.on_gap();
        }
        match answer {
            Ok(Enqueued::Taken { version, coalesced }) => {
                self.core().drop_key(&key, Origin::Local);
                self.counts.accepted.add(1);
                self.counts.coalesced.add(u64::from(coalesced));
                if self.n_new.fetch_add(1, Relaxed) + 1 >= self.settings.max_batch {
                    self.control.wake.notify_one();
                }
                Ok(version)
            }
            Ok(Enqueued::Full) => Err(WriteError::Full { capacity: self.settings.capacity }),
            Ok(Enqueued::Overtaken { newer }) => Err(WriteError::Overtaken { newer }),
            Err(Away) => {
                // The write may have arrived without this node knowing.
                let named = self.core().named(&[key]);
                Arc::clone(self.core()).remove_named(named).await;
                Err(WriteError::Away)
            }
        }
    }

    /// Runs all code of the key and the value that is needed before Redis is asked. Returns the
    /// texts of both, and the result of [`Unwritten::begin`].
    fn begin(&self, key: &K, value: &V) -> Result<(String, String, u64), WriteError> {
        let begin = || {
            let tail = stored::tail(value, self.core().policy.schema);
            let tail = tail.map_err(|error| WriteError::Encode(error.to_string()))?;
            Ok((key.to_string(), tail, self.unwritten.begin(key)))
        };
        let panicked = || WriteError::Encode("code of the key or the value panicked".to_owned());
        self.core().recorder.contain(begin).unwrap_or_else(|| Err(panicked()))
    }

    pub(crate) fn room(&self) -> &Notify {
        &self.room
    }

    /// Waiting rows, dead letters, and the age of the oldest row, as of the last round.
    pub(crate) fn gauges(&self) -> (u64, u64, Option<Duration>) {
        let age_ms = u64::try_from(self.seen.oldest_age_ms.load(Relaxed)).ok();
        let (waiting, aside) = (&self.seen.waiting, &self.seen.aside);
        (waiting.load(Relaxed), aside.load(Relaxed), age_ms.map(Duration::from_millis))
    }

    /// Reads the gauges' values from Redis. Returns whether Redis answered.
    pub(crate) async fn look(&self) -> bool {
        let Ok(l2) = self.l2() else { return false };
        let Ok((waiting, aside)) = self.queue.count(&l2.link).await else { return false };
        self.seen.waiting.store(waiting, Relaxed);
        self.seen.aside.store(aside, Relaxed);
        true
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.n_writing.load(SeqCst) == 0
    }

    pub(super) fn swap_cursor(&self, cursor: &mut String) {
        let mut ours = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *ours, cursor);
    }
}

/// The conditions of a write.
#[derive(Clone, Copy)]
pub(crate) struct WriteTerms {
    /// The row version, if the caller gives one.
    pub(crate) version: Option<u64>,
    pub(crate) room: Room,
}

/// The room that a write may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Any,
    /// Only that of the value that it replaces, because other writers wait for free room.
    OfItsKey,
}

/// A write that is on its way, counted until it is dropped.
struct WriteInFlight<'a>(&'a AtomicUsize);

impl<'a> WriteInFlight<'a> {
    fn begin(n_writing: &'a AtomicUsize) -> Self {
        n_writing.fetch_add(1, SeqCst);
        Self(n_writing)
    }
}

impl Drop for WriteInFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}
