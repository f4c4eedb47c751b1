use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use strata_cache::{
    CacheEvents, DeadLetterList, DeadLetterStep, Journal, L1List, L1Survey, L2Census, L2Count,
    L2Head, Pattern, Progress,
};
use strata_report::{
    DeadLetterPage, DeadLetterResult, Effect, EntryLook, KeyRow, L2Look, NodeReport, RedisServer,
    RedisState,
};

use crate::error::ConsoleError;

/// What a node answers, when it does.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ConsoleError>> + Send + 'a>>;

/// All that a console asks of a node, which need not live in the console's process.
pub trait NodeClient: Send + Sync + 'static {
    /// Its id.
    fn id(&self) -> &str;

    /// Its newest report; `None` where it has not been heard for too long. Never waits for a
    /// network: a node elsewhere sends its reports by itself.
    fn report(&self) -> Option<NodeReport>;

    /// One key in its L1, without disturbing the cache.
    fn look_l1<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<EntryLook>>;

    /// One key in L2; `None` where L2 is off or cannot be asked.
    fn look_l2<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<L2Look>>;

    /// A value of a cache, as JSON, as its cache lets people see it; `None` where it does not.
    fn shown<'a>(&'a self, cache: &'a str, value: String) -> Answer<'a, Option<String>>;

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

    /// Its keys in L1 that match, after a key by name.
    fn list_l1<'a>(&'a self, cache: &'a str, list: L1List<'a>) -> Answer<'a, L1Listed>;

    /// Those of the keys that lie, fresh, in its L1.
    fn among_l1<'a>(&'a self, cache: &'a str, keys: &'a [String]) -> Answer<'a, Vec<KeyRow>>;

    /// When entries of its L1 expire, and how large they are.
    fn survey_l1<'a>(&'a self, cache: &'a str) -> Answer<'a, L1Survey>;

    /// One step of a walk over L2 from `cursor` on; `None` where L2 is off or cannot be asked.
    fn scan_l2<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        cursor: u64,
    ) -> Answer<'a, Option<L2Step>>;

    /// What is known of keys in L2 without their values, in their order; `None` where L2 is off
    /// or cannot be asked.
    fn heads_l2<'a>(
        &'a self,
        cache: &'a str,
        keys: &'a [String],
    ) -> Answer<'a, Option<Vec<Option<L2Head>>>>;

    /// The name of a key's group.
    fn group_of<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<String>>;

    /// What happened to a cache's keys after a place in its stream. Never waits for a network: a
    /// node elsewhere sends its events by itself.
    fn events_after(&self, cache: &str, seq: u64) -> CacheEvents;

    /// What happened to one key, as far back as is kept.
    fn events_of<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, CacheEvents>;

    /// Removes one key from its L1 alone; says whether it was there.
    fn drop_from_l1<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, bool>;

    /// Marks one key as stale on every level and, by the bus, on every node.
    fn mark_stale<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Effect>;

    /// Invalidates one key on every level and, by the bus, on every node.
    fn invalidate<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Effect>;

    /// Invalidates every key that matches on every level and, by the bus, on every node.
    fn invalidate_pattern<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        progress: Arc<Progress>,
    ) -> Answer<'a, Effect>;

    /// One page of the dead letters of a cache's write-behind.
    fn dead_letters<'a>(
        &'a self,
        cache: &'a str,
        _list: DeadLetterList,
    ) -> Answer<'a, DeadLetterPage> {
        Box::pin(ready(Err(ConsoleError::NoWriteBehind(cache.to_owned()))))
    }

    /// One step of a redrive or a drop of dead letters, to its end.
    fn move_dead_letters<'a>(
        &'a self,
        cache: &'a str,
        _step: DeadLetterStep,
    ) -> Answer<'a, DeadLetterResult> {
        Box::pin(ready(Err(ConsoleError::NoWriteBehind(cache.to_owned()))))
    }

    /// What Redis says of itself.
    fn redis_state(&self) -> Answer<'_, RedisState>;

    /// What Redis counts about itself; `None` where it is off or cannot be asked.
    fn redis_server(&self) -> Answer<'_, Option<RedisServer>>;

    /// Appends lines to a journal in Redis; says whether they are there.
    fn append<'a>(&'a self, journal: Journal<'a>, lines: &'a [String]) -> Answer<'a, bool>;

    /// The newest lines of a journal, newest first; `None` where Redis is off or away.
    fn journal<'a>(&'a self, journal: Journal<'a>) -> Answer<'a, Option<Vec<String>>>;

    /// The keys of every cache in L2, counted now; `None` where L2 is off or cannot be asked.
    fn count_l2(&self) -> Answer<'_, Option<Vec<L2Count>>>;

    /// The keys of every cache in L2 as last counted, by whoever had the turn; `None` before the
    /// first count, and where L2 is off or cannot be asked.
    fn census_l2(&self) -> Answer<'_, Option<L2Census>>;
}

/// Keys that match a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyMatch {
    /// How many.
    pub n_keys: u64,
    /// Some of them.
    pub samples: Vec<String>,
    /// There may be more: counting all would have taken too long.
    pub is_partial: bool,
    /// Keys of all caches that a count in L2 passed, to within one step of SCAN.
    pub n_scanned: u64,
}

/// Keys of one L1 that match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct L1Listed {
    /// How many in all.
    pub n_keys: u64,
    /// Those that were asked for, by name.
    pub rows: Vec<KeyRow>,
}

/// One step of a walk over L2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct L2Step {
    /// Where to go on; 0 is the end.
    pub next: u64,
    /// The keys of this step that match.
    pub keys: Vec<String>,
}
