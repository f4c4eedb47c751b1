use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use strata_cache::{Node, Pattern, Progress};
use strata_report::{Effect, EntryLook, L2Look, NodeReport, RedisState};

use crate::ConsoleError;

/// What a node answers, when it does.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ConsoleError>> + Send + 'a>>;

/// All that a console asks of a node, which need not live in the console's process.
pub trait NodeFace: Send + Sync + 'static {
    /// Its id.
    fn id(&self) -> &str;

    /// Its newest report; `None` where it has not been heard for too long. Never waits for a
    /// network: a node elsewhere sends its reports by itself.
    fn report(&self) -> Option<NodeReport>;

    /// One key in its L1, without disturbing the cache.
    fn look_l1<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<EntryLook>>;

    /// One key in L2; `None` where L2 is off or cannot be asked.
    fn look_l2<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<L2Look>>;

    /// Keys in its L1 that match, the first `limit` of them by name.
    fn match_l1<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        limit: usize,
    ) -> Answer<'a, KeyMatch>;

    /// Keys in L2 that match, the first `limit` of them by name; `None` where L2 is off or cannot
    /// be asked.
    fn match_l2<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        limit: usize,
    ) -> Answer<'a, Option<KeyMatch>>;

    /// Invalidates one key on every level and, by the bus, on every node.
    fn invalidate<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Effect>;

    /// Invalidates every key that matches on every level and, by the bus, on every node.
    fn invalidate_pattern<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        progress: Arc<Progress>,
    ) -> Answer<'a, Effect>;

    /// What Redis says of itself.
    fn redis_state(&self) -> Answer<'_, RedisState>;

    /// The keys of every cache in L2, counted; `None` where L2 is off or cannot be asked.
    fn count_l2(&self) -> Answer<'_, Option<Vec<L2Count>>>;
}

/// Keys that match a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyMatch {
    /// How many.
    pub n_keys: u64,
    /// Some of them.
    pub samples: Vec<String>,
}

/// What one cache keeps in L2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct L2Count {
    /// The cache.
    pub cache: String,
    /// Its entries.
    pub entries: u64,
    /// Their size in bytes, estimated from a sample.
    pub weight_bytes: u64,
}

impl NodeFace for Node {
    fn id(&self) -> &str {
        Self::id(self)
    }

    fn report(&self) -> Option<NodeReport> {
        Some(Self::report(self))
    }

    fn look_l1<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<EntryLook>> {
        Box::pin(async move { Ok(Self::look_l1(self, cache, key)?) })
    }

    fn look_l2<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<L2Look>> {
        Box::pin(async move { Ok(Self::look_l2(self, cache, key).await?) })
    }

    fn match_l1<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        limit: usize,
    ) -> Answer<'a, KeyMatch> {
        let (node, name, pattern) = (self.clone(), cache.to_owned(), pattern.clone());
        Box::pin(async move {
            // A walk over every key takes milliseconds, which other tasks should not wait for.
            let walk = tokio::task::spawn_blocking(move || node.match_l1(&name, &pattern, limit));
            let gone = |_| ConsoleError::NodeGone(Self::id(self).to_owned());
            let (n_keys, samples) = walk.await.map_err(gone)??;
            Ok(KeyMatch { n_keys, samples })
        })
    }

    fn match_l2<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        limit: usize,
    ) -> Answer<'a, Option<KeyMatch>> {
        Box::pin(async move {
            let matched = Self::match_l2(self, cache, pattern, limit).await?;
            Ok(matched.map(|(n_keys, samples)| KeyMatch { n_keys, samples }))
        })
    }

    fn invalidate<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Effect> {
        Box::pin(async move { Ok(Self::invalidate(self, cache, key).await?) })
    }

    fn invalidate_pattern<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        progress: Arc<Progress>,
    ) -> Answer<'a, Effect> {
        Box::pin(async move { Ok(Self::invalidate_pattern(self, cache, pattern, progress).await?) })
    }

    fn redis_state(&self) -> Answer<'_, RedisState> {
        Box::pin(async move { Ok(Self::redis_state(self).await) })
    }

    fn count_l2(&self) -> Answer<'_, Option<Vec<L2Count>>> {
        Box::pin(async move {
            let counts = Self::count_l2(self).await;
            let named = |(cache, entries, weight_bytes)| L2Count { cache, entries, weight_bytes };
            Ok(counts.map(|counts| counts.into_iter().map(named).collect()))
        })
    }
}
