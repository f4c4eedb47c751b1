use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use strata_report::{CacheReport, Outcome};

use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::read::{Core, Load, Loaded, Read, spans};
use crate::recorder::Label;
use crate::user_code::BoxFuture;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A named pair of levels. Cheap to clone; all clones are the same cache.
///
/// # Concurrent calls on the same key
/// All readers that miss share one flight, whichever method they called. The leader asks the source
/// and the others wait for it. At most two readers ask L2, the first of them for itself alone. A
/// reader may give up; the load that it began goes on. A reader that starts after an acknowledged
/// invalidation or write never sees an older value on this node, and never joins a flight that
/// began before it. With Redis, one process at a time loads or refreshes a key. The others wait for
/// it, or serve a stale entry.
///
/// # Tasks, spans and task-locals
/// A read has a span of its own where a subscriber asks for the target `strata::read` at TRACE. It
/// says cache, key group, outcome and level, and never the key.
///
/// A load, a refresh and a write run in a task of their own, so they go on if the reader goes away.
/// They run in the `tracing` span of the reader that began them; readers that join see nothing of
/// them in their own spans. Task-locals are not carried over. Read them before, and set them again
/// inside:
///
/// ```
/// # use strata_cache::{Cache, LoadError};
/// tokio::task_local! {
///     static TENANT: u32;
/// }
/// # async fn select(id: u64, tenant: u32) -> std::io::Result<Option<String>> { Ok(None) }
/// # async fn example(users: Cache<u64, String>) -> Result<(), LoadError> {
/// let tenant = TENANT.get();
/// let load = move || TENANT.scope(tenant, async { select(7, TENANT.get()).await });
/// users.get_or_load(&7, load).await?;
/// # Ok(())
/// # }
/// ```
///
/// If a value depends on the reader, that dependency belongs in the key: a reader that joins gets
/// the value that the first reader's load returns.
///
/// # Loads that read
/// A load may read other keys, of this cache and of others. A read that would wait for its own
/// load, through however many loads, fails at once with [`LoadError::Recursive`]. If an old entry
/// stands in, as during a refresh, that read gets the entry instead. Loads of several processes may
/// also wait for each other: a read within a load waits at most half a second for a key that
/// another process loads, then loads it too. Reads in tasks that a load spawns are not recognised
/// as part of it. They end with the load timeout, and need a turn of their own
/// ([`max_loads`](crate::CacheBuilder::max_loads)).
pub struct Cache<K, V> {
    pub(super) core: Arc<Core<K, V>>,
}

impl<K: Key, V: Value> Cache<K, V> {
    pub(crate) fn of(core: Arc<Core<K, V>>) -> Self {
        Self { core }
    }

    pub(crate) fn core(&self) -> &Arc<Core<K, V>> {
        &self.core
    }

    /// The cache's name.
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// Reads L1, then L2, but never the source, and joins no flight. Concurrent calls on one key
    /// each ask L2. An entry from L2 is kept in L1. If there is no entry, or L2 is away, the
    /// outcome is `missed`; it never fails.
    pub async fn get(&self, key: &K) -> Read<V> {
        if spans::are_wanted() {
            let span = self.core.span_of_read(key);
            let read = Box::pin(self.core.read_cached(key)).await;
            spans::note(&span, read.outcome);
            return read;
        }
        self.core.read_cached(key).await
    }

    /// Reads L1, then L2, then asks the source by `load`. If `load` returns `Ok(None)`, that is a
    /// "not found", which is remembered for the negative time to live.
    ///
    /// # Errors
    /// If the source fails, panics, or takes longer than the load timeout; if too many loads of
    /// this cache run already; or if the load asks for its own key. All waiting readers share the
    /// error, and errors are never cached.
    /// # Example
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use strata_cache::{Cache, Node, report::Outcome};
    /// # async fn select(id: u64) -> std::io::Result<Option<String>> { Ok((id == 7).then(|| "Ada".into())) }
    /// # let node = Node::builder("shop").start().await?;
    /// # let users: Cache<u64, String> = Cache::builder("users").build(&node)?;
    /// let read = users.get_or_load(&7, || select(7)).await?;
    /// assert_eq!(read.value.as_deref().map(String::as_str), Some("Ada"));
    /// assert_eq!(read.outcome, Outcome::Loaded);
    /// assert_eq!(users.get_or_load(&7, || select(7)).await?.outcome, Outcome::L1Hit);
    ///
    /// assert!(users.get_or_load(&8, || select(8)).await?.value.is_none(), "not found");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_load<F, Fut, E>(&self, key: &K, load: F) -> Result<Read<V>, LoadError>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Option<V>, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        self.get_or_load_entry(key, || async { Ok::<_, E>(load().await?.map(Loaded::from)) }).await
    }

    /// As [`get_or_load`](Self::get_or_load), for a source that also says how long its answer may
    /// live.
    ///
    /// # Errors
    /// As [`get_or_load`](Self::get_or_load).
    ///
    /// # Example
    /// ```
    /// # use strata_cache::{Cache, LoadError, Loaded};
    /// # use std::time::Duration;
    /// # async fn fetch() -> std::io::Result<(String, u64)> { Ok((String::new(), 60)) }
    /// # async fn example(tokens: Cache<String, String>) -> Result<(), LoadError> {
    /// let key = "billing".to_owned();
    /// let load = || async {
    ///     let (token, expires_in_s) = fetch().await?;
    ///     let time_to_live = Duration::from_secs(expires_in_s);
    ///     Ok::<_, std::io::Error>(Some(Loaded::from(token).time_to_live(time_to_live)))
    /// };
    /// let read = tokens.get_or_load_entry(&key, load).await?;
    /// # let _ = read;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_or_load_entry<F, Fut, E>(&self, key: &K, load: F) -> Result<Read<V>, LoadError>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = Result<Option<Loaded<V>>, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let one = || -> Load<K, V> {
            Box::new(move |keys: Vec<K>| {
                let loading: BoxFuture<'static, _> = Box::pin(async move {
                    let loaded = load().await.map_err(source)?;
                    Ok(keys.into_iter().zip(loaded).collect())
                });
                loading
            })
        };
        if spans::are_wanted() {
            let span = self.core.span_of_read(key);
            let read = Box::pin(self.core.read(key, one)).await;
            spans::note(&span, read.as_ref().map_or(Outcome::Failed, |read| read.outcome));
            return read;
        }
        self.core.read(key, one).await
    }

    /// Reads many keys with one pass over L1, one MGET and one `load` of all missing keys. Returns
    /// the results in the order of `keys`, duplicates included; keys that `load` leaves out are
    /// "not found". Joins the flights of keys that are already being loaded on this node. It waits
    /// for other processes only if they are loading all missing keys. Otherwise, or once one of
    /// these waits is over, it loads those keys here with the rest.
    ///
    /// # Errors
    /// Each key has its own result, as in [`get_or_load`](Self::get_or_load).
    /// # Example
    /// ```
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use std::collections::HashMap;
    /// # use strata_cache::{Cache, Node};
    /// # let node = Node::builder("shop").start().await?;
    /// # let users: Cache<u64, String> = Cache::builder("users").build(&node)?;
    /// // SELECT … WHERE id IN (…), for the ids that no level has.
    /// let select = async |ids: Vec<u64>| {
    ///     let found = ids.into_iter().filter(|id| *id != 3);
    ///     Ok::<_, std::io::Error>(found.map(|id| (id, format!("user {id}"))).collect::<HashMap<_, _>>())
    /// };
    /// let reads = users.get_many(&[2, 3, 2], move |ids| select(ids)).await;
    /// let names: Vec<_> = reads.into_iter().map(|read| read.unwrap().value).collect();
    /// assert_eq!(names[0].as_deref().map(String::as_str), Some("user 2"));
    /// assert_eq!((&names[1], &names[2]), (&None, &names[0]));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get_many<F, Fut, E>(&self, keys: &[K], load: F) -> Vec<Result<Read<V>, LoadError>>
    where
        F: FnOnce(Vec<K>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<HashMap<K, V>, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let load = |keys| async {
            let values = load(keys).await?.into_iter();
            Ok::<_, E>(values.map(|(key, value)| (key, Loaded::from(value))).collect())
        };
        self.get_many_entries(keys, load).await
    }

    /// As [`get_many`](Self::get_many), for a source that also returns the version and tags of each
    /// entry and how long it may live.
    ///
    /// # Errors
    /// As [`get_many`](Self::get_many).
    pub async fn get_many_entries<F, Fut, E>(
        &self,
        keys: &[K],
        load: F,
    ) -> Vec<Result<Read<V>, LoadError>>
    where
        F: FnOnce(Vec<K>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<HashMap<K, Loaded<V>>, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let many: Load<K, V> = Box::new(move |keys| {
            let loading: BoxFuture<'static, _> =
                Box::pin(async move { load(keys).await.map_err(source) });
            loading
        });
        if spans::are_wanted() {
            let span = self.core.span_of_reads();
            let reads = Box::pin(self.core.read_many(keys, many)).await;
            spans::note_many(&span, &reads);
            return reads;
        }
        self.core.read_many(keys, many).await
    }

    /// Asks the source without the cache: stores nothing, and counts as bypassed. Each caller asks
    /// for itself. The load runs in the caller's task and ends with it. The number of such loads is
    /// not limited.
    ///
    /// # Errors
    /// If the source fails or takes longer than the load timeout.
    pub async fn bypass<Fut, E>(&self, load: Fut) -> Result<Read<V>, LoadError>
    where
        Fut: Future<Output = Result<Option<V>, E>> + Send,
        E: Into<BoxError> + 'static,
    {
        let loaded = tokio::time::timeout(self.core.policy.load_timeout, load).await;
        let value =
            loaded.map_err(|_| LoadError::TimedOut).and_then(|loaded| loaded.map_err(source));
        let outcome = if value.is_ok() { Outcome::Bypassed } else { Outcome::Failed };
        self.core.recorder.outcome(Label::KEYLESS, outcome, None);
        let value = value?.map(Arc::new);
        Ok(Read { value, outcome, age: Duration::ZERO, expires_in: None })
    }

    /// The numbers of this cache at this instant. Counts of entries in L1 and of entries that left
    /// it are as of the last upkeep, at most a quarter of a second ago.
    pub fn report(&self) -> CacheReport {
        self.core.numbers()
    }
}

impl<K, V> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core) }
    }
}

impl<K, V> std::fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").field("name", &self.core.name).finish_non_exhaustive()
    }
}

fn source(error: impl Into<BoxError>) -> LoadError {
    LoadError::Source(Arc::from(error.into()))
}
