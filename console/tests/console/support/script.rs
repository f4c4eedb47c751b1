use std::collections::BTreeMap;
use std::sync::Arc;

use strata_report::{
    BusReport, CacheEvents, CacheReport, Effect, L2Report, NodeReport, Outcomes, RedisServer,
    RedisState, Settings,
};

use super::FakeNode;

/// What a [`FakeNode`] does and tells.
pub(crate) struct Script {
    /// `None`: the node is not heard.
    pub(crate) report: Option<NodeReport>,
    /// Keys in L1 with the age of their entries, milliseconds.
    pub(crate) l1: BTreeMap<String, u64>,
    /// What an invalidation does to L2.
    pub(crate) effect: Effect,
    /// How many batches a pattern invalidation takes.
    pub(crate) n_batches: u64,
    /// A pattern invalidation goes on although it was cancelled.
    pub(crate) ignores_cancelling: bool,
    /// Counting all that matches in Redis takes too long.
    pub(crate) l2_is_too_large: bool,
    /// A walk over L1 never ends.
    pub(crate) l1_never_ends: bool,
    /// A look at one key in L1 never ends.
    pub(crate) look_never_ends: bool,
    /// What Redis counts about itself.
    pub(crate) server: RedisServer,
    /// `None`: Redis never answers.
    pub(crate) redis: Option<RedisState>,
    /// Traffic that fills a key again as soon as it was invalidated.
    pub(crate) refills: bool,
    /// A pattern invalidation breaks off.
    pub(crate) breaks_off: bool,
    /// What panics when it is asked for; empty is nothing.
    pub(crate) panics: &'static str,
    /// Who hears of this node's invalidations.
    pub(crate) peers: Vec<Arc<FakeNode>>,
    /// How many invalidations began here.
    pub(crate) n_invalidations: u64,
    /// How many lookups of one key in L1 began here.
    pub(crate) n_looks: u64,
    /// How many walks over a whole L1 began here.
    pub(crate) n_surveys: u64,
    /// How many keys were marked as stale here.
    pub(crate) n_marked_stale: u64,
    /// What happened to its keys.
    pub(crate) events: CacheEvents,
    /// The lines that were appended to journals.
    pub(crate) journal: Vec<String>,
}

/// A report of `users` with so many reads answered by L1.
pub(crate) fn cache_report(l1_hit: u64) -> CacheReport {
    let settings = Settings {
        l1_time_to_live_ms: Some(30_000),
        l2_time_to_live_ms: Some(60_000),
        ..Settings::default()
    };
    let outcomes = Outcomes { l1_hit, ..Outcomes::default() };
    CacheReport { cache: "users".to_owned(), outcomes, settings, ..CacheReport::default() }
}

impl Script {
    /// A node of this name that is heard, with an empty L1 and a Redis that answers.
    pub(super) fn of(id: &str) -> Self {
        let report = NodeReport {
            node: id.to_owned(),
            version: "1.2.3".to_owned(),
            started_at_ms: 1_000,
            at_ms: 1_000,
            bus: BusReport { configured: true, connected: true, ..BusReport::default() },
            l2: L2Report { configured: true, ..L2Report::default() },
            tasks: Vec::new(),
            caches: vec![cache_report(0)],
            ..NodeReport::default()
        };
        Self {
            report: Some(report),
            l1: BTreeMap::new(),
            effect: Effect::Removed { entries: 1 },
            n_batches: 0,
            l2_is_too_large: false,
            l1_never_ends: false,
            look_never_ends: false,
            ignores_cancelling: false,
            server: RedisServer::default(),
            redis: Some(RedisState { configured: true, up: true, ..RedisState::default() }),
            refills: false,
            breaks_off: false,
            panics: "",
            peers: Vec::new(),
            n_invalidations: 0,
            n_looks: 0,
            n_surveys: 0,
            n_marked_stale: 0,
            events: CacheEvents::default(),
            journal: Vec::new(),
        }
    }
}
