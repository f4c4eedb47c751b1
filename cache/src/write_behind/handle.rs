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

/// How long a flusher that is stopped may take to hand its rows over, and Redis to say what waits.
const LAST_STEP: Duration = Duration::from_secs(2);

/// How long a row of the source is kept of which nobody could say whether a newer one waits.
const KEPT_IN_DOUBT: Duration = Duration::from_secs(1);

/// Writes that are acknowledged before the source has them, over a [`Cache`](crate::Cache). Cheap to clone; all
/// clones are the same. A cache has at most one on a node.
///
/// Both kinds collect writes, keep the newest value of each key, and bring it to the source in
/// batches by a sink of the caller's. What fails is tried again with growing pauses; a batch that
/// fails is halved until the row that never succeeds is alone, and that is set aside after its
/// last try, if the sink takes others meanwhile. What cannot be read or copied, because code of the
/// key or the value fails or panics, is set aside at once. A row that stands aside is a dead letter,
/// and no longer in effect: readers see the source's row again until it is redriven, by
/// [`redrive_dead_letters`](Self::redrive_dead_letters) or from a dashboard.
///
/// While the source is away nothing is set aside: the rows wait, tried with growing pauses, and go
/// in whole batches when it is back.
///
/// | | in memory | durable |
/// |---|---|---|
/// | an acknowledged write is | in this process | in Redis, as durable as its persistence |
/// | a crash of the process loses | every unwritten value, and what stands aside | nothing |
/// | a loss of Redis loses | nothing | what its persistence did not keep |
/// | a row reaches the sink | at least once, in the order of its key's writes on this node | at least once; the row version orders |
/// | two nodes that write one key | the later flush wins | the higher row version wins |
/// | Redis away | writes go on | [`WriteError::Away`] |
/// | other nodes read | the new value from L2; once it has left L2 before it is written, the source's older row | the new value, from Redis, through their own `get_or_load` |
///
/// # Reads
/// [`get_or_load`](Self::get_or_load) answers with an unwritten value of this node before it asks
/// the cache, so an acknowledged write is read here at once, whatever L1 keeps and also while
/// Redis is away. On every other node the cache drops its copy within the bus's delay. Reads past
/// the write-behind, by [`Cache::get_or_load`](crate::Cache::get_or_load), may load the source's older row and keep it until
/// the new one has been written; then the key is invalidated everywhere. While a node does not hear
/// the bus, its durable kind asks Redis, which knows what other nodes have written; where Redis does
/// not answer either, the node's own unwritten values are the answer.
///
/// Any invalidation of the key, here or elsewhere, ends that, and so does one of a tag, for all
/// keys: from then on reads ask Redis, where a value that waits still is the newest. Where Redis
/// does not answer then, a read is answered by the source's row, which is kept for a second at
/// most. A value that a node with another schema of the cache has written cannot be read here, but
/// for older ones by [`migrate`](crate::WriteBehindBuilder::migrate): a read waits for up to the cache's
/// `lease_wait` until it has been written, and is then answered by the source's older row, which
/// is kept for a second at most.
///
/// # Where Redis may not evict
/// The durable kind keeps its keys without a time to live. A `maxmemory-policy` of `noeviction` or
/// `volatile-…` leaves them alone; one of `allkeys-…` may lose acknowledged writes. The node's log
/// says so as soon as it knows, and its report says which policy it is;
/// [`refuse_evicting`](crate::WriteBehindBuilder::refuse_evicting) has writes refused there.
///
/// # The end
/// [`shutdown`](Self::shutdown) comes before the node's. Dropping the last clone stops the flusher
/// where it is, as a crash would.
///
/// # Deploys
/// Nodes with two schemas of a cache share what waits: each brings the values to the source that
/// it can read, and leaves the others to nodes of their schema, also to those that come later.
///
/// # Other writers
/// Change a key that may be unwritten through this alone: a flush overwrites, or by its row
/// version ignores, what others did to the source meanwhile.
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
    /// Takes a write; waits while there is no room, those who came first going first. When it returns, the value is read here and
    /// the other nodes have been told. Answers its row version, which grows with each write of the
    /// key; of writes to one key at once the one that is taken last wins. A caller that gives up
    /// does not know whether its write was taken.
    ///
    /// # Errors
    /// [`WriteError::Away`], [`WriteError::Closed`], [`WriteError::Encode`], and of the durable
    /// kind [`WriteError::Overtaken`] where others give higher versions themselves, and
    /// [`WriteError::Evicting`] where it refuses a Redis that may evict.
    pub async fn write(&self, key: K, value: V) -> Result<u64, WriteError> {
        self.write_when_there_is_room(key, value, None).await
    }

    /// As [`write`](Self::write), but does not wait.
    ///
    /// # Errors
    /// Those of `write`, and [`WriteError::Full`] where there is no room.
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

    /// As [`write`](Self::write), with a row version of the caller's, who should then give one for
    /// every write of the key. Durable kind only.
    ///
    /// # Errors
    /// Those of `write`, [`WriteError::Overtaken`] where as high a version waits, and
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

    /// Takes no write any more, brings what waits to the source without pausing for the interval,
    /// and stops after `deadline` at the latest, plus two seconds in which the durable kind hands
    /// its share over, so that other consumers need not wait for it to be taken for dead, and asks
    /// Redis what is left. It keeps that time whatever the flusher, the sink or Redis do. Says what
    /// was left.
    pub async fn shutdown(&self, deadline: Duration) -> Drained<K, V> {
        let Inner { control, kind, .. } = &*self.inner;
        control.closing.cancel();
        kind.room().notify_waiters();
        let drained = tokio::time::timeout(deadline, control.ended.cancelled()).await.is_ok();
        let last = Instant::now() + LAST_STEP;
        if !drained {
            control.killed.cancel();
            // It may just have panicked and rest before it starts again, or its runtime be gone.
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

    /// The numbers of this write-behind at this instant. Asks nothing of Redis. Of the durable kind
    /// nothing waits and nothing stands aside for one that was shut down: that is for other nodes to
    /// say.
    pub fn report(&self) -> WriteBehindReport {
        let Inner { cache, kind, settings, counts, control, .. } = &*self.inner;
        let (kind, (queued, aside, oldest), other_schema) = match kind {
            Kind::Memory(memory) => (WriteBehindKind::Memory, memory.gauges(), 0),
            // What it saw last may be long past, and other nodes look.
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
