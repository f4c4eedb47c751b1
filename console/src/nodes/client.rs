use std::pin::Pin;
use std::sync::Arc;

use strata_cache::{Journal, L2Census, L2Count, L2Head, Pattern, Progress, Target};
use strata_report::{
    CacheEvents, Effect, KeyMatch, NodeAnswer, NodePresence, NodeRequest, RedisServer, RedisState,
};

use super::asks::FanOut;
use super::shared_report::SharedReport;
use crate::error::ConsoleError;

/// An answer on its way.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ConsoleError>> + Send + 'a>>;

/// A node as a console reaches it, in this process or elsewhere.
pub trait NodeClient: Send + Sync + 'static {
    /// Its id.
    fn id(&self) -> &str;

    /// Its newest report; `None` if it has not been heard for too long. Never waits for a network:
    /// a node elsewhere sends its reports by itself.
    fn report(&self) -> Option<SharedReport>;

    /// What happened to a cache's keys after a place in its stream. Never waits for a network: a
    /// node elsewhere sends its events by itself.
    fn events_after(&self, cache: &str, seq: u64) -> CacheEvents;

    /// Asks what only the node's own process can answer.
    fn ask<'a>(
        &'a self,
        request: NodeRequest,
    ) -> Pin<Box<dyn Future<Output = NodeAnswer> + Send + 'a>>;

    /// The same node, asked together with others: what all of them are asked is sent once. `None`
    /// where it is asked alone in any case.
    fn asked_with_others(&self, _others: &Arc<FanOut>) -> Option<Arc<dyn NodeClient>> {
        None
    }

    /// Where it is elsewhere: whether it is heard, and what it says of itself.
    fn presence(&self) -> Option<&NodePresence> {
        None
    }

    /// Where it is of this process: what it says of itself to consoles elsewhere, if it does.
    fn own_presence(&self) -> Option<NodePresence> {
        None
    }

    /// The node on which waits what [`shared`](Self::shared) sends while Redis is away.
    fn shared_by(&self) -> &str {
        self.id()
    }

    /// The way to the Redis and the bus that the node shares with others. A console changes and
    /// counts there by itself, without asking each node.
    fn shared(&self) -> &dyn SharedRedis;
}

/// What a console does on what nodes share, through any of them: L2, the bus, journals.
pub trait SharedRedis: Send + Sync {
    /// Keys in L2 that match, the first `limit` of them by name; `None` if L2 is off or cannot be
    /// asked.
    fn match_l2<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        limit: usize,
    ) -> Answer<'a, Option<KeyMatch>>;

    /// One step of a walk over L2 from `cursor` on; `None` if L2 is off or cannot be asked.
    fn scan_l2<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        cursor: u64,
    ) -> Answer<'a, Option<L2Step>>;

    /// What is known of keys in L2 without their values, in their order; `None` if L2 is off or
    /// cannot be asked.
    fn heads_l2<'a>(
        &'a self,
        cache: &'a str,
        keys: &'a [String],
    ) -> Answer<'a, Option<Vec<Option<L2Head>>>>;

    /// The keys of every cache in L2, counted now; `None` if L2 is off or cannot be asked.
    fn count_l2(&self) -> Answer<'_, Option<Vec<L2Count>>>;

    /// The keys of every cache in L2 as any console last counted them; `None` before the first
    /// count, and if L2 is off or cannot be asked.
    fn census_l2(&self) -> Answer<'_, Option<L2Census>>;

    /// Whether Redis is up, and its memory.
    fn redis_state(&self) -> Answer<'_, RedisState>;

    /// What Redis counts about itself; `None` if it is off or cannot be asked.
    fn redis_server(&self) -> Answer<'_, Option<RedisServer>>;

    /// Appends lines to a journal in Redis; says whether they are there.
    fn append<'a>(&'a self, journal: Journal<'a>, lines: &'a [String]) -> Answer<'a, bool>;

    /// Appends a line of this time, milliseconds since the epoch, to a journal in Redis, unless the
    /// newest one there is of that time or later; says whether it did.
    fn append_at<'a>(&'a self, journal: Journal<'a>, at_ms: u64, line: &'a str)
    -> Answer<'a, bool>;

    /// The newest lines of a journal, newest first; `None` if Redis is off or away.
    fn journal<'a>(&'a self, journal: Journal<'a>) -> Answer<'a, Option<Vec<String>>>;

    /// Invalidates it on every level and, by the bus, on every node.
    fn invalidate<'a>(
        &'a self,
        cache: &'a str,
        target: &'a Target,
        progress: Arc<Progress>,
    ) -> Answer<'a, Effect>;

    /// Marks one key as stale on every level and, by the bus, on every node.
    fn mark_stale<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Effect>;
}

/// One step of a walk over L2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct L2Step {
    /// Where to go on; 0 is the end.
    pub next: u64,
    /// The keys of this step that match.
    pub keys: Vec<String>,
}
