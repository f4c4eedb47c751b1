use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use strata_report::{Outcome, WriteBehindKind, WriteBehindReport};
use tokio::time::Instant;

use super::durable::{Room, WaitingValue, WriteTerms};
use super::inner::{Inner, Kind};
use super::row::{Drained, WriteError};
use crate::clock::millis;
use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::read::{Loaded, Read};

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How long a stopped flusher may take to hand over its rows, and Redis to report the waiting ones.
const LAST_STEP: Duration = Duration::from_secs(2);

/// How long a row of the source is kept if it is unknown whether a newer value waits.
const KEPT_IN_DOUBT: Duration = Duration::from_secs(1);

/// Writes that are acknowledged before the source has them, over a [`Cache`](crate::Cache). Cheap
/// to clone; all clones are the same. A cache has at most one on a node.
///
/// Both kinds collect writes, keep the newest value of each key, and bring it to the source in
/// batches by the caller's sink. Failed rows are tried again with growing pauses. A batch that
/// fails is halved until the row that never succeeds is alone. That row becomes a dead letter after
/// its last try, if the sink takes others meanwhile. A row that cannot be read or copied, because
/// code of the key or the value fails or panics, becomes a dead letter at once. A dead letter is no
/// longer in effect: readers see the source's row again until it is redriven, by
/// [`redrive_dead_letters`](Self::redrive_dead_letters) or from a dashboard.
///
/// While the source is away no dead letters arise. The rows wait, are tried with growing pauses,
/// and are sent in whole batches when the source is back.
///
/// | | in memory | durable |
/// |---|---|---|
/// | an acknowledged write is | in this process | in Redis, as durable as its persistence |
/// | a crash of the process loses | every unwritten value, and dead letters | nothing |
/// | a loss of Redis loses | nothing | the writes that its persistence did not keep |
/// | a row reaches the sink | at least once, in the order of its key's writes on this node | at least once; the row version orders |
/// | two nodes that write one key | the later flush wins | the higher row version wins |
/// | Redis away | writes go on | [`WriteError::Away`] |
/// | other nodes read | the new value from L2; once it has left L2 before it is written, the source's older row | the new value, from Redis, through their own `get_or_load` |
///
/// # Reads
/// [`get_or_load`](Self::get_or_load) returns an unwritten value of this node before it asks the
/// cache. An acknowledged write is therefore visible on this node at once, whatever L1 keeps, and
/// also while Redis is away. On every other node the cache drops its copy within the bus's delay.
/// Reads past the write-behind, by [`Cache::get_or_load`](crate::Cache::get_or_load), may load the
/// source's older row and keep it until the new one has been written; then the key is invalidated
/// everywhere. While a node does not hear the bus, its durable kind asks Redis, which has other
/// nodes' writes. If Redis does not answer either, the node's own unwritten values are the answer.
///
/// After any invalidation of the key, on any node, reads no longer use this node's unwritten value.
/// They ask Redis, where a value that waits is still the newest. The invalidation of a tag has this
/// effect for all keys. If Redis does not answer then, the source's row answers a read, and is kept
/// for at most a second. A value of another schema cannot be read on this node, except an older one
/// by [`migrate`](crate::WriteBehindBuilder::migrate). A read then waits for up to the cache's
/// `lease_wait` until the value has been written. After that the source's older row answers, which
/// is kept for at most a second.
///
/// # Eviction by Redis
/// The durable kind keeps its keys without a time to live. A `maxmemory-policy` of `noeviction` or
/// `volatile-…` does not evict them; one of `allkeys-…` may lose acknowledged writes. The node's
/// log says so as soon as the node knows, and its report names the policy. With
/// [`refuse_evicting`](crate::WriteBehindBuilder::refuse_evicting) writes are refused on such a
/// Redis.
///
/// # Shutdown
/// Call [`shutdown`](Self::shutdown) before the node's. Dropping the last clone stops the flusher
/// at once, as a crash would.
///
/// # Deploys
/// Nodes with two schemas of a cache share the waiting rows. Each node brings the values to the
/// source that it can read, and leaves the others to nodes of their schema, including later ones.
///
/// # Other writers
/// Change a key that may be unwritten only through this write-behind. A flush overwrites changes
/// that other programs made to the source meanwhile or, by its row version, ignores them.
///
/// # Example
/// ```no_run
/// use std::time::Duration;
/// use strata_cache::{Cache, Node, Row, WriteBehind};
///
/// # async fn upsert(_: Vec<Row<u64, String>>) -> std::io::Result<()> { Ok(()) }
/// # async fn select(_: u64) -> std::io::Result<Option<String>> { Ok(None) }
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let node = Node::builder("shop").redis_url("redis://127.0.0.1").start().await?;
/// let names: Cache<u64, String> = Cache::builder("names").build(&node)?;
/// // INSERT … ON CONFLICT (id) DO UPDATE … WHERE excluded.version > names.version
/// let writes = WriteBehind::builder(&names).capacity(50_000).durable(upsert)?;
///
/// writes.write(7, "Ada".to_owned()).await?;
/// let read = writes.get_or_load(&7, || select(7)).await?;
/// assert_eq!(read.value.as_deref().map(String::as_str), Some("Ada"));
///
/// let drained = writes.shutdown(Duration::from_secs(5)).await;
/// println!("{} writes wait for the next start", drained.waiting);
/// # Ok(())
/// # }
/// ```
pub struct WriteBehind<K, V> {
    pub(super) inner: Arc<Inner<K, V>>,
}

impl<K: Key, V: Value + Clone> WriteBehind<K, V> {
    /// Accepts a write. Waits while there is no room; earlier callers go first. When it returns,
    /// reads on this node see the value and the other nodes have been told. Returns the row
    /// version, which grows with each write of the key. Among concurrent writes to one key the last
    /// accepted one wins. A caller that drops the future does not know whether its write was
    /// accepted.
    ///
    /// # Errors
    /// [`WriteError::Away`], [`WriteError::Closed`], [`WriteError::Encode`], and for the durable
    /// kind [`WriteError::Overtaken`] if other callers set higher versions, and
    /// [`WriteError::Evicting`] if it refuses a Redis that may evict.
    pub async fn write(&self, key: K, value: V) -> Result<u64, WriteError> {
        self.write_when_there_is_room(key, value, None).await
    }

    /// As [`write`](Self::write), but does not wait.
    ///
    /// # Errors
    /// Those of `write`, and [`WriteError::Full`] if there is no room.
    pub async fn try_write(&self, key: K, value: V) -> Result<u64, WriteError> {
        let value = Arc::new(value);
        self.counted(match &self.inner.kind {
            Kind::Memory(memory) => memory.try_write(key, value).await,
            Kind::Durable(durable) => {
                if let Err(refusal) = self.inner.check_eviction().await {
                    return self.counted(Err(refusal));
                }
                durable.attempt(key, value, WriteTerms { version: None, room: Room::Any }).await
            }
        })
    }

    /// As [`write`](Self::write), with a row version set by the caller. It should then set one for
    /// every write of the key. Durable kind only.
    ///
    /// # Errors
    /// Those of `write`, [`WriteError::Overtaken`] if a version at least as high waits, and
    /// [`WriteError::NoVersions`] for the in-memory kind.
    pub async fn write_version(&self, key: K, value: V, version: u64) -> Result<u64, WriteError> {
        self.write_when_there_is_room(key, value, Some(version)).await
    }

    /// Reads an unwritten value of this node, else through the cache. The durable kind asks Redis
    /// for unwritten values of other nodes before it asks the source. An unwritten value of this
    /// node counts as an L1 hit and has no deadline.
    ///
    /// # Errors
    /// As [`Cache::get_or_load`](crate::Cache::get_or_load).
    pub async fn get_or_load<F, Fut, E>(&self, key: &K, load: F) -> Result<Read<V>, LoadError>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Option<V>, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let Inner { cache, kind, .. } = &*self.inner;
        if let Some((value, age)) = kind.answering(key) {
            let (core, outcome) = (cache.core(), Outcome::L1Hit);
            core.recorder.outcome(core.label(key), outcome, None);
            return Ok(Read { value: Some(value), outcome, age, expires_in: None });
        }
        match kind {
            Kind::Memory(_) => cache.get_or_load(key, load).await,
            Kind::Durable(durable) => {
                let (durable, key_of_load) = (Arc::clone(durable), key.clone());
                let load = || async move {
                    let in_doubt = match durable.waiting(&key_of_load).await {
                        WaitingValue::Value(value) => return Ok::<_, E>(Some(Loaded::from(value))),
                        WaitingValue::Nothing => return Ok(load().await?.map(Loaded::from)),
                        WaitingValue::Unreadable => None,
                        WaitingValue::Unknown => durable.in_doubt(&key_of_load),
                    };
                    let value = match in_doubt {
                        Some(value) => Some(value),
                        None => load().await?,
                    };
                    Ok(value.map(|value| Loaded::from(value).time_to_live(KEPT_IN_DOUBT)))
                };
                cache.get_or_load_entry(key, load).await
            }
        }
    }

    /// The value that this node has written and the source does not have yet.
    pub fn unwritten(&self, key: &K) -> Option<Arc<V>> {
        self.inner.kind.unwritten(key).map(|(value, _)| value)
    }

    /// Ends the write-behind. It accepts no further write, brings the waiting rows to the source
    /// without pausing for the interval, and stops at `deadline` at the latest. It may take two
    /// seconds more: the durable kind then hands over its rows, so that other consumers need not
    /// wait for its silence, and asks Redis what is left. It keeps this time whatever the flusher,
    /// the sink or Redis do. Returns the writes that are left.
    pub async fn shutdown(&self, deadline: Duration) -> Drained<K, V> {
        let Inner { control, kind, .. } = &*self.inner;
        control.closing.cancel();
        kind.room().notify_waiters();
        let drained = tokio::time::timeout(deadline, control.ended.cancelled()).await.is_ok();
        let last = Instant::now() + LAST_STEP;
        if !drained {
            control.killed.cancel();
            // The flusher may have just panicked and be pausing before it restarts, or its runtime
            // may be gone.
            if tokio::time::timeout_at(last, control.ended.cancelled()).await.is_err() {
                control.ended.cancel();
            }
        }
        match kind {
            Kind::Memory(memory) => {
                let (queued, aside, _) = memory.gauges();
                let left = memory.left();
                let is_known = left.len() as u64 == queued;
                Drained { left, waiting: 0, aside, is_known }
            }
            Kind::Durable(durable) => {
                let answered = tokio::time::timeout_at(last, durable.look()).await;
                let is_known = answered == Ok(true) && durable.is_settled();
                let (waiting, aside, _) = durable.gauges();
                durable.doubt_all();
                Drained { left: Vec::new(), waiting, aside, is_known }
            }
        }
    }

    /// The numbers of this write-behind at this instant. Asks nothing of Redis. After a shutdown,
    /// the durable kind reports no waiting rows and no dead letters, because other nodes report
    /// them.
    pub fn report(&self) -> WriteBehindReport {
        let Inner { cache, kind, settings, counts, control, .. } = &*self.inner;
        let (kind, (queued, aside, oldest), other_schema) = match kind {
            Kind::Memory(memory) => (WriteBehindKind::Memory, memory.gauges(), 0),
            // Its last state of Redis may be old, and other nodes report a newer one.
            Kind::Durable(_) if control.ended.is_cancelled() => {
                (WriteBehindKind::Durable, (0, 0, None), 0)
            }
            Kind::Durable(durable) => {
                (WriteBehindKind::Durable, durable.gauges(), durable.other_schema())
            }
        };
        WriteBehindReport {
            cache: cache.name().to_owned(),
            kind,
            queued,
            capacity: settings.capacity as u64,
            interval_ms: millis(settings.interval),
            oldest_age_ms: oldest.map(millis),
            aside,
            other_schema,
            ..counts.read()
        }
    }

    async fn write_when_there_is_room(
        &self,
        key: K,
        value: V,
        version: Option<u64>,
    ) -> Result<u64, WriteError> {
        let memory = match &self.inner.kind {
            Kind::Memory(memory) => memory,
            Kind::Durable(durable) => {
                if let Err(refusal) = self.inner.check_eviction().await {
                    return self.counted(Err(refusal));
                }
                return self.counted(durable.write(key, value, version).await);
            }
        };
        if version.is_some() {
            return self.counted(Err(WriteError::NoVersions));
        }
        let value = Arc::new(value);
        loop {
            let room = memory.room().notified();
            tokio::pin!(room);
            room.as_mut().enable();
            let attempt = memory.try_write(key.clone(), Arc::clone(&value)).await;
            if !matches!(attempt, Err(WriteError::Full { .. })) {
                return self.counted(attempt);
            }
            room.await;
        }
    }

    fn counted(&self, attempt: Result<u64, WriteError>) -> Result<u64, WriteError> {
        self.inner.counts.refused.add(u64::from(attempt.is_err()));
        attempt
    }
}

impl<K, V> Clone for WriteBehind<K, V> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<K, V> std::fmt::Debug for WriteBehind<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteBehind").field("cache", &self.inner.cache).finish_non_exhaustive()
    }
}
