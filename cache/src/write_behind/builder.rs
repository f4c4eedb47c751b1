use std::future::Future;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::backlog::Backlog;
use super::durable::{Durable, Migrate};
use super::flusher::Flusher;
use super::handle::WriteBehind;
use super::inner::{Inner, Kind, OnEvicting};
use super::memory::Memory;
use super::row::Row;
use super::settings::FlushSettings;
use super::shared::{Control, WriteBehindCounts};
use super::sink::Sink;
use crate::cache::Cache;
use crate::clock::MAX_TIME_TO_LIVE;
use crate::error::BuildError;
use crate::key::{Key, Value};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Settings of a [`WriteBehind`]. The last call chooses the kind.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::time::Duration;
/// # use strata_cache::{Cache, Node, WriteBehind};
/// # let node = Node::builder("shop").start().await?;
/// # let views: Cache<u64, u64> = Cache::builder("views").build(&node)?;
/// let writes = WriteBehind::builder(&views)
///     .capacity(50_000)
///     .max_batch(500)
///     .interval(Duration::from_millis(100))
///     .in_memory(|rows: Vec<(u64, u64)>| async move {
///         // One transaction: all rows or none.
///         assert_eq!(rows.len(), 1, "each key is once in a call");
///         Ok::<_, std::io::Error>(())
///     })?;
/// writes.write(7, 41).await?;
/// writes.write(7, 42).await?;
/// assert!(writes.shutdown(Duration::from_secs(5)).await.is_complete());
/// # Ok(())
/// # }
/// ```
pub struct WriteBehindBuilder<K, V> {
    cache: Cache<K, V>,
    settings: FlushSettings,
    on_evicting: OnEvicting,
    migrate: Option<Migrate<V>>,
}

impl<K: Key, V: Value + Clone> WriteBehind<K, V> {
    /// A write-behind over `cache`.
    pub fn builder(cache: &Cache<K, V>) -> WriteBehindBuilder<K, V> {
        WriteBehindBuilder::new(cache)
    }
}

impl<K: Key, V: Value + Clone> WriteBehindBuilder<K, V> {
    /// The largest number of rows in one call of the sink.
    pub const LARGEST_BATCH: usize = 10_000;
    /// How many keys may be unwritten at once.
    pub const DEFAULT_CAPACITY: usize = 10_000;
    /// The number of rows in one call of the sink.
    pub const DEFAULT_MAX_BATCH: usize = 256;
    /// The pause between two rounds of the flusher.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(200);
    /// Tries before a row becomes a dead letter.
    pub const DEFAULT_TRIES: u32 = 10;
    /// The pause after the first failure.
    pub const DEFAULT_FIRST_PAUSE: Duration = Duration::from_millis(100);
    /// The longest pause between two tries.
    pub const DEFAULT_LONGEST_PAUSE: Duration = Duration::from_secs(30);
    /// How long one call of the sink may take.
    pub const DEFAULT_SINK_TIMEOUT: Duration = Duration::from_secs(10);
    /// How long a consumer may be silent before other consumers take over its rows.
    pub const DEFAULT_CLAIM_AFTER: Duration = Duration::from_secs(60);

    pub(super) fn new(cache: &Cache<K, V>) -> Self {
        let settings = FlushSettings {
            capacity: Self::DEFAULT_CAPACITY,
            max_batch: Self::DEFAULT_MAX_BATCH,
            interval: Self::DEFAULT_INTERVAL,
            tries: Self::DEFAULT_TRIES,
            first_pause: Self::DEFAULT_FIRST_PAUSE,
            longest_pause: Self::DEFAULT_LONGEST_PAUSE,
            sink_timeout: Self::DEFAULT_SINK_TIMEOUT,
            claim_after: Self::DEFAULT_CLAIM_AFTER,
        };
        Self { cache: cache.clone(), settings, on_evicting: OnEvicting::default(), migrate: None }
    }

    /// The greatest number of keys that may be unwritten or dead letters at once. Further writes
    /// are refused or wait. For the durable kind the keys of all nodes count, so all nodes should
    /// set the same number. At least 1.
    pub fn capacity(mut self, max_keys: usize) -> Self {
        self.settings.capacity = max_keys.max(1);
        self
    }

    /// The greatest number of rows in one call of the sink. This many new rows on one node start a
    /// round at once. At least 1, and at most [`LARGEST_BATCH`](Self::LARGEST_BATCH); values
    /// outside are limited to these.
    pub fn max_batch(mut self, max_rows: usize) -> Self {
        self.settings.max_batch = max_rows.clamp(1, Self::LARGEST_BATCH);
        self
    }

    /// The pause between two rounds. It is the longest wait of a value if nothing fails, and the
    /// time in which several writes of one key become one. Less than a millisecond counts as one,
    /// more than ten years as ten years.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.settings.interval = FlushSettings::within_reach(interval);
        self
    }

    /// How often a row may fail alone, although the sink takes others, before it becomes a dead
    /// letter. `u32::MAX` means never. At least 1. A failure counts only if the sink has taken
    /// other rows since the row's previous failure. Once one failure has counted, a further one
    /// also counts if nothing else has failed since. An outage of the source therefore makes no
    /// dead letters. A row that fails while nothing else is written is tried for as long as it
    /// takes, and [`WriteBehindReport::failing`](crate::report::WriteBehindReport::failing) shows
    /// it. A sink that can tell a permanent error returns a
    /// [`PermanentFailure`](crate::PermanentFailure).
    pub fn tries(mut self, tries: u32) -> Self {
        self.settings.tries = tries.max(1);
        self
    }

    /// The pause after the first failure. It doubles with each failure, up to `longest`, less a
    /// random share of up to a half. While nothing succeeds, all rows share it. Less than a
    /// millisecond counts as one, more than ten years as ten years, and a `longest` below `first`
    /// as `first`.
    pub fn pauses(mut self, first: Duration, longest: Duration) -> Self {
        self.settings.first_pause = FlushSettings::within_reach(first);
        self.settings.longest_pause =
            FlushSettings::within_reach(longest).max(self.settings.first_pause);
        self
    }

    /// A call of the sink that takes longer fails and is dropped. At least a millisecond, or the
    /// write-behind is not built; more than ten years count as ten years.
    pub fn sink_timeout(mut self, timeout: Duration) -> Self {
        self.settings.sink_timeout = timeout.min(MAX_TIME_TO_LIVE);
        self
    }

    /// Durable kind: how long a consumer may be silent before its rows are taken over. Never
    /// shorter than twice the sink's timeout, so that a slow consumer is not mistaken for a dead
    /// one. More than ten years count as ten years.
    pub fn claim_after(mut self, silence: Duration) -> Self {
        self.settings.claim_after = FlushSettings::within_reach(silence);
        self
    }

    /// Durable kind: refuses writes, by [`WriteError::Evicting`](crate::WriteError::Evicting),
    /// while Redis's `maxmemory-policy` is known to be one of `allkeys-…`, which may evict
    /// acknowledged writes. The node asks Redis before the first write and every 30 s. If an ACL
    /// forbids both `INFO` and `CONFIG GET`, the policy is unknown and writes are accepted.
    ///
    /// Without this setting writes are accepted, and the log and the node's report mention the
    /// policy. A service that already runs on such a Redis therefore keeps working.
    pub fn refuse_evicting(mut self) -> Self {
        self.on_evicting = OnEvicting::Refuse;
        self
    }

    /// Durable kind: reads values that nodes with an older [`schema`](crate::CacheBuilder::schema)
    /// of the cache have written. The function gets that schema and the value's JSON. If it returns
    /// an error or panics, the value becomes a dead letter.
    ///
    /// Without it such values are left to nodes of their schema. Values of newer schemas always
    /// are. They wait, and
    /// [`WriteBehindReport::other_schema`](crate::report::WriteBehindReport::other_schema) counts
    /// them.
    ///
    /// ```
    /// # use strata_cache::{Cache, WriteBehind, WriteBehindBuilder};
    /// # fn builder(names: &Cache<u64, String>) -> WriteBehindBuilder<u64, String> {
    /// // Schema 1 was a number.
    /// WriteBehind::builder(names).migrate(|schema, json| match schema {
    ///     1 => Ok(json.parse::<u64>()?.to_string()),
    ///     other => Err(format!("nobody knows schema {other}").into()),
    /// })
    /// # }
    /// ```
    pub fn migrate(
        mut self,
        migrate: impl Fn(u16, &str) -> Result<V, BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.migrate = Some(Arc::new(migrate));
        self
    }

    /// Keeps unwritten values in this process. Must be called within a Tokio runtime.
    ///
    /// `sink` writes rows to the source, all of them or none. There is one call at a time, with
    /// each key at most once.
    ///
    /// # Errors
    /// If the cache has a write-behind on this node, or the sink's timeout is too short.
    pub fn in_memory<F, Fut, E>(self, sink: F) -> Result<WriteBehind<K, V>, BuildError>
    where
        F: Fn(Vec<(K, V)>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        self.settings.check()?;
        let sink = move |rows: Vec<Row<K, V>>| {
            sink(rows.into_iter().map(|row| (row.key, row.value)).collect())
        };
        let shared = (Arc::new(Control::default()), Arc::new(WriteBehindCounts::default()));
        let memory =
            Arc::new(Memory::new(self.cache.clone(), self.settings.clone(), shared.clone()));
        let sink = Sink::new(sink, self.settings.sink_timeout);
        let flusher =
            Flusher::new(Arc::clone(&memory), sink, self.settings.clone(), shared.clone());
        let handle = self.handle(Kind::Memory(memory), shared)?;
        handle.supervise(flusher);
        Ok(handle)
    }

    /// Keeps unwritten values in Redis. Must be called within a Tokio runtime.
    ///
    /// `sink` writes rows to the source, all of them or none. It must ignore a row whose version is
    /// not above the version in the source: rows come at least once, and late ones may come after
    /// newer ones. In SQL: `INSERT … ON CONFLICT (id) DO UPDATE … WHERE excluded.version >
    /// rows.version`. There is one call at a time on each node.
    ///
    /// # Errors
    /// If the cache has no L2, or a write-behind on this node, or the sink's timeout is too short.
    /// Redis being away is not an error.
    pub fn durable<F, Fut, E>(mut self, sink: F) -> Result<WriteBehind<K, V>, BuildError>
    where
        F: Fn(Vec<Row<K, V>>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        self.settings.check()?;
        let twice = self.settings.sink_timeout.saturating_mul(2);
        self.settings.claim_after = self.settings.claim_after.max(twice);
        let shared = (Arc::new(Control::default()), Arc::new(WriteBehindCounts::default()));
        let (cache, settings, migrate) =
            (self.cache.clone(), self.settings.clone(), self.migrate.take());
        let durable = Durable::new(cache, settings, shared.clone(), migrate)?;
        let durable = Arc::new(durable);
        let sink = Sink::new(sink, self.settings.sink_timeout);
        let flusher =
            Flusher::new(Arc::clone(&durable), sink, self.settings.clone(), shared.clone());
        let handle = self.handle(Kind::Durable(durable), shared)?;
        handle.supervise(flusher);
        Ok(handle)
    }

    fn handle(
        self,
        kind: Kind<K, V>,
        (control, counts): (Arc<Control>, Arc<WriteBehindCounts>),
    ) -> Result<WriteBehind<K, V>, BuildError> {
        let end = CancellationToken::clone(&control.killed).drop_guard();
        let inner = Inner {
            cache: self.cache,
            kind,
            settings: self.settings,
            on_evicting: self.on_evicting,
            control,
            counts,
            _end: end,
        };
        inner.register()
    }
}

impl<K: Key, V: Value + Clone> Inner<K, V> {
    fn register(self) -> Result<WriteBehind<K, V>, BuildError> {
        let inner = Arc::new(self);
        let core = inner.cache.core();
        let write_behind: Weak<Self> = Arc::downgrade(&inner);
        core.node.shared().listen(write_behind, &core.name)?;
        Ok(WriteBehind { inner })
    }
}

impl<K: Key, V: Value + Clone> WriteBehind<K, V> {
    /// Runs the flusher until it ends by itself. After a panic it starts again with its present
    /// state.
    fn supervise<B: Backlog<K, V>>(&self, flusher: Flusher<B, K, V>) {
        let Inner { cache, control, .. } = &*self.inner;
        let tasks = cache.core().node.shared().tasks().until(control.ended.clone());
        let flusher = Arc::new(Mutex::new(flusher));
        tasks.spawn_until_done(&format!("flusher of {}", cache.name()), move || {
            let flusher = Arc::clone(&flusher);
            async move { flusher.lock().await.run().await }
        });
    }
}
