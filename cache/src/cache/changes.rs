use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use strata_report::Effect;

use super::handle::Cache;
use crate::error::TryWriteError;
use crate::key::{Key, Value};
use crate::l2::Progress;
use crate::pattern::Pattern;
use crate::read::{Loaded, nesting, to_its_end};

impl<K: Key, V: Value> Cache<K, V> {
    /// Runs `write`, which commits to the source, and puts its value into both levels. If another
    /// write or invalidation of the key came in between, the key is invalidated instead, so that
    /// racing writers never leave the older value. Other nodes drop their copy.
    ///
    /// Runs to its end even if the caller drops the future. Returns the value and the effect on L2:
    /// [`Effect::Queued`] means that Redis is away and the invalidation waits for it.
    ///
    /// # Errors
    /// Those of `write`. The key is then invalidated, because the source may have committed all the
    /// same.
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

    /// As [`write_through`](Self::write_through), for a write that also returns the version and
    /// tags of the entry and how long it may live. With row versions, a write that lost a race
    /// leaves the newer row's entry in L2 instead of removing it.
    ///
    /// # Errors
    /// Those of `write`. The key is then invalidated, because the source may have committed all the
    /// same.
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

    /// As [`write_through`](Self::write_through), but refuses before `write` runs if this node's
    /// invalidations cannot be written. Otherwise other nodes would go on reading the older value.
    /// See [`Node::ready_to_invalidate`](crate::Node::ready_to_invalidate).
    ///
    /// # Errors
    /// [`TryWriteError::NotReady`] if `write` has not run, else those of `write`.
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

    /// Combines [`try_write_through`](Self::try_write_through) and
    /// [`write_through_entry`](Self::write_through_entry).
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

    /// Puts a value that the source already holds into both levels and drops the older one on every
    /// other node. Use it only if one writer at a time changes the key, since a second writer may
    /// have committed meanwhile. Otherwise use [`write_through`](Self::write_through).
    pub async fn insert(&self, key: &K, value: V) -> Effect {
        let written = self.write_through(key, async { Ok::<_, Infallible>(value) }).await;
        match written {
            Ok((_, effect)) => effect,
            Err(never) => match never {},
        }
    }

    /// Removes a key from both levels and every node. Call it after the source has committed. Runs
    /// to its end even if the caller drops the future, and never fails. While Redis is away it
    /// takes effect on this node, and is queued for the others ([`Effect::Queued`]).
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

    /// Removes keys from both levels and every node, as [`invalidate`](Self::invalidate) does for a
    /// single key. Takes one step in Redis for each 256 keys.
    pub async fn invalidate_many(&self, keys: &[K]) -> Effect {
        let named = self.core.named(keys);
        let running = tokio::spawn(Arc::clone(&self.core).invalidate_named(named));
        to_its_end(running).await.unwrap_or(Effect::Queued)
    }

    /// Invalidates every entry that [carries the tag](Loaded::tags), on both levels and every node,
    /// with one command, whatever their number. Gives the same guarantee as
    /// [`invalidate`](Self::invalidate), also against loads that are under way. The entries are
    /// misses from then on; their memory is reclaimed when they are read or expire. Runs to its end
    /// even if the caller drops the future.
    pub async fn invalidate_tag(&self, tag: &str) -> Effect {
        let running = tokio::spawn(Arc::clone(&self.core).invalidate_tag(tag.to_owned()));
        to_its_end(running).await.unwrap_or(Effect::Queued)
    }

    /// Marks a key as stale on both levels and every node. Readers are served the older value,
    /// outcome `stale`, while a refresh loads it anew. For values that are expensive to load and
    /// may be a little old: it gives up the guarantee that [`invalidate`](Self::invalidate) gives.
    /// Runs to its end even if the caller drops the future. While Redis is away it acts as
    /// `invalidate`.
    ///
    /// ```
    /// # use strata_cache::Cache;
    /// # async fn example(rankings: Cache<String, Vec<u64>>) {
    /// rankings.invalidate_softly(&"week".to_owned()).await;
    /// # }
    /// ```
    pub async fn invalidate_softly(&self, key: &K) -> Effect {
        let running = tokio::spawn(Arc::clone(&self.core).mark_stale(key.clone()));
        to_its_end(running).await.unwrap_or(Effect::Queued)
    }

    /// Removes every key that matches from both levels and every node. Costs a SCAN of L2. In L1 it
    /// takes effect at once; one walk in the background reclaims the memory. Fills of the whole
    /// cache that are under way are not kept. Runs to its end even if the caller drops the future;
    /// to watch or cancel an invalidation, use
    /// [`Node::invalidate_with_progress`](crate::Node::invalidate_with_progress).
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

    /// Removes everything from both levels and every node. Costs a SCAN of L2. Runs to its end even
    /// if the caller drops the future.
    pub async fn clear(&self) -> Effect {
        self.invalidate_all(None).await
    }

    async fn invalidate_all(&self, pattern: Option<Pattern>) -> Effect {
        let core = Arc::clone(&self.core);
        let running = tokio::spawn(core.invalidate_all(pattern, Arc::new(Progress::default())));
        to_its_end(running).await.unwrap_or(Effect::Queued)
    }
}
