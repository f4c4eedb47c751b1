use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use strata_report::{CacheReport, Effect, Outcome};

use crate::core::Core;
use crate::face::Later;
use crate::invalidate::to_its_end;
use crate::node::Progress;
use crate::read::Load;
use crate::recorder::Label;
use crate::{CacheBuilder, Key, LoadError, Loaded, Pattern, TryWriteError, Value, nesting};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A named pair of levels. Cheap to clone; all clones are the same cache.
///
/// # Concurrent calls on the same key
/// All readers that miss share one flight, whichever method they called: one asks the source, the
/// others wait for it, and two at most ask L2, the first for itself alone. A reader may give up;
/// what it began goes on. A reader that starts
/// after an acknowledged invalidation or write never sees an older value on this node, and never
/// joins a flight that began before it. With Redis, one process at a time loads or refreshes a key:
/// the others wait for it, or serve what is stale.
///
/// # What a load is run in
/// A load, a refresh and a write run in a task of their own, so that they go on where the reader
/// goes away. They run in the `tracing` span of the reader that began them; readers that join see
/// nothing of it in theirs. Task-locals do not travel. Read them before, and set them again inside:
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
/// What depends on the reader belongs into the key: whoever joins gets what the first one loads.
///
/// # Loads that read
/// A load may read other keys, of this cache and of others. One that waits for itself, through
/// however many loads, fails at once with [`LoadError::Recursive`] for the inner read; where an
/// entry stands in, as in a refresh, the inner read is answered with it. Loads of several processes
/// may wait for each other as well: a read within a load waits half a second at most for a key that
/// another process loads, then loads it too. A load that spawns tasks
/// and reads there is not recognised: those reads end with the load timeout, and need a turn of
/// their own ([`max_loads`](CacheBuilder::max_loads)).
pub struct Cache<K, V> {
    core: Arc<Core<K, V>>,
}

/// How one read ended.
#[derive(Debug)]
pub struct Read<V> {
    /// The value; `None` where there is none: the source said so, or nobody asked it.
    pub value: Option<Arc<V>>,
    /// How it was answered.
    pub outcome: Outcome,
    /// Since the value was loaded from the source, or written.
    pub age: Duration,
    /// Until the entry expires here; `None` has no deadline, or nothing is cached. Zero where an
    /// invalidation came in between, so that a load is not kept.
    pub expires_in: Option<Duration>,
}

impl<K: Key, V: Value> Cache<K, V> {
    /// A cache named `name`: 1 to 64 of `a-z`, `0-9`, `_` and `-`.
    pub fn builder(name: &str) -> CacheBuilder<K, V> {
        CacheBuilder::new(name)
    }

    pub(crate) fn of(core: Arc<Core<K, V>>) -> Self {
        Self { core }
    }

    pub(crate) fn core(&self) -> &Arc<Core<K, V>> {
        &self.core
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// Reads L1, then L2; never the source. Joins no flight.
    /// Many at once on one key each ask L2 for themselves. An entry from L2 is kept in L1. Where there is
    /// nothing, or L2 is away, the outcome is `missed`; it never fails.
    pub async fn get(&self, key: &K) -> Read<V> {
        self.core.read_cached(key).await
    }

    /// Reads L1, then L2, then asks the source by `load`. `Ok(None)` from `load` is "not found"
    /// and is remembered for the negative time to live.
    ///
    /// # Errors
    /// When the source fails, panics, or takes longer than the load timeout; when too many loads of
    /// this cache run already, or the load asks for its own key. Errors are shared by all who wait
    /// and are never cached.
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

    /// As [`get_or_load`](Self::get_or_load), where the source also says how long its answer
    /// may live.
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
                let loading: Later<_> = Box::pin(async move {
                    let loaded = load().await.map_err(source)?;
                    Ok(keys.into_iter().zip(loaded).collect())
                });
                loading
            })
        };
        self.core.read(key, one).await
    }

    /// Reads many keys: one pass over L1, one MGET, one `load` of all that is missing. Answers in
    /// the order of `keys`, duplicates included; keys that `load` leaves out are "not found".
    /// Joins the flights of keys that others are loading. What other processes load is waited for
    /// where they load all that is missing; else, or where one of those waits is over, it is loaded
    /// here with the rest.
    ///
    /// # Errors
    /// Each key for itself, as in [`get_or_load`](Self::get_or_load).
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

    /// As [`get_many`](Self::get_many), where the source also says what each entry was made from
    /// and how long it may live.
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
            let loading: Later<_> = Box::pin(async move { load(keys).await.map_err(source) });
            loading
        });
        self.core.read_many(keys, many).await
    }

    /// Goes around the cache: asks the source, stores nothing, and counts as bypassed. Each caller
    /// asks for itself, and the load ends with its caller, in whose task it runs. As many run as
    /// there are callers.
    ///
    /// # Errors
    /// When the source fails or takes longer than the load timeout.
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

    /// Runs `write`, which commits to the source, and puts what it returns into both levels. Where
    /// another write or invalidation of the key came in between, the key is invalidated instead,
    /// so that racing writers never leave the older value. Other nodes drop their copy.
    ///
    /// Runs to its end even when the caller goes away. Answers the value and what became of L2:
    /// [`Effect::Queued`] is an invalidation that waits for Redis, where it is away.
    ///
    /// # Errors
    /// Those of `write`. The key is invalidated then: the source may have committed all the same.
    ///
    /// # Example
    /// ```
    /// # use strata_cache::{Cache, report::Effect};
    /// # async fn update(_: u64, name: &str) -> std::io::Result<String> { Ok(name.to_owned()) }
    /// # async fn example(users: Cache<u64, String>) -> std::io::Result<()> {
    /// // UPDATE users SET name = 'Ada' WHERE id = 7 RETURNING name
    /// let (name, effect) = users.write_through(&7, update(7, "Ada")).await?;
    /// assert_eq!(*name, "Ada");
    /// if effect == Effect::Queued {
    ///     // Committed and read here; other nodes hear of it when Redis is back.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn write_through<F, E>(&self, key: &K, write: F) -> Result<(Arc<V>, Effect), E>
    where
        F: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + 'static,
    {
        self.write_through_entry(key, async { write.await.map(Loaded::from) }).await
    }

    /// As [`write_through`](Self::write_through), where the write also says what the entry was
    /// made from and how long it may live. With row versions a write that lost a race leaves the
    /// newer row's entry in L2 instead of removing it.
    ///
    /// # Errors
    /// Those of `write`. The key is invalidated then: the source may have committed all the same.
    pub async fn write_through_entry<F, E>(&self, key: &K, write: F) -> Result<(Arc<V>, Effect), E>
    where
        F: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
        E: Send + 'static,
    {
        let running = nesting::spawn(Arc::clone(&self.core).write(key.clone(), write));
        match to_its_end(running).await {
            Some(written) => written,
            None => std::future::pending().await,
        }
    }

    /// As [`write_through`](Self::write_through), but refuses before `write` runs where this node's
    /// invalidations cannot be written, so that other nodes would go on reading the older value.
    /// See [`Node::ready_to_invalidate`](crate::Node::ready_to_invalidate).
    ///
    /// # Errors
    /// [`TryWriteError::NotReady`] where `write` has not run, else those of `write`.
    ///
    /// # Example
    /// ```
    /// # use strata_cache::{Cache, TryWriteError};
    /// # async fn update(_: u64, name: &str) -> std::io::Result<String> { Ok(name.to_owned()) }
    /// # async fn example(users: Cache<u64, String>) -> std::io::Result<()> {
    /// match users.try_write_through(&7, update(7, "Ada")).await {
    ///     Ok((name, _)) => assert_eq!(*name, "Ada"),
    ///     Err(TryWriteError::NotReady(why)) => eprintln!("try again later: failed to {why}"),
    ///     Err(TryWriteError::Write(error)) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn try_write_through<F, E>(
        &self,
        key: &K,
        write: F,
    ) -> Result<(Arc<V>, Effect), TryWriteError<E>>
    where
        F: Future<Output = Result<V, E>> + Send + 'static,
        E: Send + 'static,
    {
        self.try_write_through_entry(key, async { write.await.map(Loaded::from) }).await
    }

    /// As [`try_write_through`](Self::try_write_through) and
    /// [`write_through_entry`](Self::write_through_entry) together.
    ///
    /// # Errors
    /// As [`try_write_through`](Self::try_write_through).
    pub async fn try_write_through_entry<F, E>(
        &self,
        key: &K,
        write: F,
    ) -> Result<(Arc<V>, Effect), TryWriteError<E>>
    where
        F: Future<Output = Result<Loaded<V>, E>> + Send + 'static,
        E: Send + 'static,
    {
        if self.core.l2.is_some() {
            self.core.node.ready_to_invalidate().await?;
        }
        self.write_through_entry(key, write).await.map_err(TryWriteError::Write)
    }

    /// Puts a value that the source already holds into both levels and drops the older one on
    /// every other node. Right only where one writer at a time changes the key, since a second
    /// may have committed meanwhile; otherwise use [`write_through`](Self::write_through).
    pub async fn insert(&self, key: &K, value: V) -> Effect {
        let written = self.write_through(key, async { Ok::<_, Infallible>(value) }).await;
        match written {
            Ok((_, effect)) => effect,
            Err(never) => match never {},
        }
    }

    /// Removes a key from both levels and every node. Call it after the source has committed.
    /// Runs to its end even when the caller goes away, and never fails: while Redis is away it
    /// holds on this node, and waits for the others ([`Effect::Queued`]).
    ///
    /// ```
    /// # use strata_cache::Cache;
    /// # async fn delete(_: u64) -> std::io::Result<()> { Ok(()) }
    /// # async fn example(users: Cache<u64, String>) -> std::io::Result<()> {
    /// delete(7).await?; // DELETE … COMMIT
    /// users.invalidate(&7).await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn invalidate(&self, key: &K) -> Effect {
        self.invalidate_many(std::slice::from_ref(key)).await
    }

    /// Removes keys from both levels and every node, as [`invalidate`](Self::invalidate) does one:
    /// one step in Redis for each 256 of them.
    pub async fn invalidate_many(&self, keys: &[K]) -> Effect {
        let named = self.core.named(keys);
        let running = tokio::spawn(Arc::clone(&self.core).invalidate_named(named));
        to_its_end(running).await.unwrap_or(Effect::Queued)
    }

    /// Invalidates every entry that [carries the tag](Loaded::tags), on both levels and every
    /// node, with one command, however many they are. Gives the same guarantee as
    /// [`invalidate`](Self::invalidate), also against loads that are under way. Entries that it
    /// overtook are misses from then on; their memory is reclaimed as they are read or expire.
    /// Runs to its end even when the caller goes away.
    pub async fn invalidate_tag(&self, tag: &str) -> Effect {
        let running = tokio::spawn(Arc::clone(&self.core).invalidate_tag(tag.to_owned()));
        to_its_end(running).await.unwrap_or(Effect::Queued)
    }

    /// Marks a key as stale on both levels and every node: readers are served the older value,
    /// outcome `stale`, while one of them loads it anew. For values that are dear to load and may
    /// be a little old; it gives up the guarantee that [`invalidate`](Self::invalidate) gives.
    /// Runs to its end even when the caller goes away. While Redis is away it is an `invalidate`.
    ///
    /// ```
    /// # use strata_cache::Cache;
    /// # async fn example(rankings: Cache<String, Vec<u64>>) {
    /// rankings.invalidate_softly(&"week".to_owned()).await;
    /// # }
    /// ```
    pub async fn invalidate_softly(&self, key: &K) -> Effect {
        let running = tokio::spawn(Arc::clone(&self.core).soften(key.clone()));
        to_its_end(running).await.unwrap_or(Effect::Queued)
    }

    /// Removes every key that matches from both levels and every node. Costs a SCAN of L2. In L1 it
    /// holds at once; the memory is reclaimed by one walk in the background. Fills of the whole cache that are under way are not kept. Runs to its end
    /// even when the caller goes away; to watch or cancel one, use
    /// [`Node::invalidate_pattern`](crate::Node::invalidate_pattern).
    ///
    /// ```
    /// # use strata_cache::{Cache, Pattern};
    /// # async fn example(pages: Cache<String, String>) {
    /// pages.invalidate_pattern(&Pattern::prefix("author:7:")).await;
    /// # }
    /// ```
    pub async fn invalidate_pattern(&self, pattern: &Pattern) -> Effect {
        self.invalidate_all(Some(pattern.clone())).await
    }

    /// Removes everything from both levels and every node. Costs a SCAN of L2.
    /// Runs to its end even when the caller goes away.
    pub async fn clear(&self) -> Effect {
        self.invalidate_all(None).await
    }

    async fn invalidate_all(&self, pattern: Option<Pattern>) -> Effect {
        let core = Arc::clone(&self.core);
        let running = tokio::spawn(core.invalidate_all(pattern, Arc::new(Progress::default())));
        to_its_end(running).await.unwrap_or(Effect::Queued)
    }

    /// The numbers of this cache at this instant. Counts of what lies in L1 and what has left it are
    /// as of the last upkeep, at most a quarter of a second ago.
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
