use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_report::Origin;
use tokio::sync::Notify;

use super::own::Own;
use super::place::{Enqueued, Place};
use super::stored::{self, Stored};
use crate::core::Core;
use crate::l2::{Away, Keyspace};
use crate::write_behind::WriteError;
use crate::write_behind::control::Control;
use crate::write_behind::counts::Counts;
use crate::write_behind::pace::Pace;
use crate::{BuildError, Cache, Key, Value};

/// Unwritten values in Redis, as one node sees them.
///
/// The order that keeps readers right: a load asks the hash before the source, and a write lands
/// in the hash in the same step that takes the key's lease away and tells the bus. So a load that
/// found nothing in the hash cannot commit what it read before the write. The value leaves the
/// hash only after the source has it.
pub(crate) struct Durable<K, V> {
    pub(super) cache: Cache<K, V>,
    pub(super) pace: Pace,
    pub(super) control: Arc<Control>,
    pub(super) counts: Arc<Counts>,
    pub(super) place: Place,
    pub(super) own: Arc<Own<K, V>>,
    pub(super) room: Notify,
    /// Writes of this node since the flusher took some.
    pub(super) n_new: AtomicUsize,
    pub(super) seen: Seen,
    /// Where the next search for silent consumers goes on.
    pub(super) cursor: Mutex<String>,
}

/// What the last round saw in Redis.
pub(super) struct Seen {
    pub(super) waiting: AtomicU64,
    pub(super) aside: AtomicU64,
    pub(super) oldest_age_ms: AtomicI64,
}

impl<K: Key, V: Value + Clone> Durable<K, V> {
    pub(crate) fn new(
        cache: Cache<K, V>,
        pace: Pace,
        (control, counts): (Arc<Control>, Arc<Counts>),
    ) -> Result<Self, BuildError> {
        let core = cache.core();
        if core.l2.is_none() {
            return Err(BuildError::NoL2(core.name.clone()));
        }
        let shared = core.node.shared();
        let place = Place::new(shared.bus(), &core.name, shared.id());
        let seen = Seen {
            waiting: AtomicU64::new(0),
            aside: AtomicU64::new(0),
            oldest_age_ms: AtomicI64::new(-1),
        };
        Ok(Self {
            place,
            cache,
            pace,
            control,
            counts,
            own: Arc::new(Own::new()),
            room: Notify::new(),
            n_new: AtomicUsize::new(0),
            seen,
            cursor: Mutex::new("0-0".to_owned()),
        })
    }

    pub(super) fn core(&self) -> &Arc<Core<K, V>> {
        self.cache.core()
    }

    pub(super) fn l2(&self) -> Result<&Keyspace, Away> {
        self.core().l2.as_ref().ok_or(Away)
    }

    /// One attempt. Acknowledged means that Redis has it.
    pub(crate) async fn try_write(
        self: Arc<Self>,
        key: K,
        value: Arc<V>,
        version: Option<u64>,
    ) -> Result<u64, WriteError> {
        if self.control.closing.is_cancelled() {
            return Err(WriteError::Closed);
        }
        let l2 = self.l2().map_err(|Away| WriteError::Away)?;
        if l2.link.is_open() {
            return Err(WriteError::Away);
        }
        let text = key.to_string();
        let tail = stored::tail(&*value, self.core().policy.schema)
            .map_err(|error| WriteError::Encode(error.to_string()))?;
        let began = self.own.begin(&key);
        let answer = self.place.enqueue(l2, (&text, &tail), version, self.pace.capacity).await;
        let acknowledged = match answer {
            Ok(Enqueued::Taken { version, .. }) => Some((value, version)),
            _ => None,
        };
        // Whatever panics here, what L1 holds is older by now.
        self.core().recorder.contain(|| self.own.end(&key, began, acknowledged));
        match answer {
            Ok(Enqueued::Taken { version, coalesced }) => {
                self.core().drop_key(&key, Origin::Local);
                self.counts.accepted.add(1);
                self.counts.coalesced.add(u64::from(coalesced));
                if self.n_new.fetch_add(1, Relaxed) + 1 >= self.pace.max_batch {
                    self.control.wake.notify_one();
                }
                Ok(version)
            }
            Ok(Enqueued::Full) => Err(WriteError::Full { capacity: self.pace.capacity }),
            Ok(Enqueued::Overtaken { newer }) => Err(WriteError::Overtaken { newer }),
            Err(Away) => {
                // It may have arrived, and then nobody here was told.
                Arc::clone(self.core()).invalidate(vec![key]).await;
                Err(WriteError::Away)
            }
        }
    }

    pub(crate) fn room(&self) -> &Notify {
        &self.room
    }

    /// What this node has written and the source does not have yet.
    pub(crate) fn unwritten(&self, key: &K) -> Option<(Arc<V>, Duration)> {
        self.own.get(key)
    }

    /// What any node has written and the source does not have yet; `None` as well where Redis does
    /// not answer.
    pub(crate) async fn waiting(&self, key: &K) -> Option<V> {
        let link = &self.l2().ok()?.link;
        let text = self.place.value(link, &key.to_string()).await.ok()??;
        Stored::read(&text)?.value(self.core().policy.schema).ok()
    }

    /// Rows that wait, rows that stand aside, and the age of the oldest, as the last round saw them.
    pub(crate) fn gauges(&self) -> (u64, u64, Option<Duration>) {
        let age_ms = u64::try_from(self.seen.oldest_age_ms.load(Relaxed)).ok();
        let (waiting, aside) = (&self.seen.waiting, &self.seen.aside);
        (waiting.load(Relaxed), aside.load(Relaxed), age_ms.map(Duration::from_millis))
    }

    /// Looks in Redis for what the gauges show.
    pub(crate) async fn look(&self) {
        if let Ok(l2) = self.l2()
            && let Ok((waiting, aside)) = self.place.count(&l2.link).await
        {
            self.seen.waiting.store(waiting, Relaxed);
            self.seen.aside.store(aside, Relaxed);
        }
    }

    pub(crate) fn hear(&self, key: &K) {
        self.own.hear(key);
    }

    pub(crate) fn gap(&self) {
        self.own.gap();
    }

    pub(super) fn swap_cursor(&self, cursor: &mut String) {
        let mut ours = self.cursor.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *ours, cursor);
    }
}
