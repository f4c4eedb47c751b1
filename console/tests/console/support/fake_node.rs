use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use strata_cache::{Journal, L2Census, L2Count, L2Head, Pattern, Progress, Target};
use strata_console::{Answer, ConsoleError, L2Step, NodeClient, SharedRedis, SharedReport};
use strata_report::{
    CacheEvents, CacheKeys, CacheName, Effect, EntryLook, KeyMatch, KeyRow, L1Keys, L1Query,
    L1Survey, L2Look, NodeAnswer, NodeError, NodeReport, NodeRequest, RedisServer, RedisState,
};

use super::script::{Script, cache_report};

/// How long each batch of a pattern invalidation takes.
const BATCH: Duration = Duration::from_secs(1);

/// A node of another process, as a test scripts it. Its one cache is `users`, unless the test
/// gives it another name.
pub(crate) struct FakeNode {
    id: String,
    script: Mutex<Script>,
}

impl FakeNode {
    pub(crate) fn new(id: &str) -> Arc<Self> {
        Arc::new(Self { id: id.to_owned(), script: Mutex::new(Script::of(id)) })
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    /// Changes what the node reports.
    pub(crate) fn reports(&self, change: impl FnOnce(&mut NodeReport)) {
        change(self.script().report.as_mut().unwrap());
    }

    /// A node to be attached, with one cache of this name.
    pub(crate) fn with_cache(id: &str, cache: &str) -> Arc<Self> {
        let node = Self::new(id);
        node.reports(|report| report.caches[0].cache = cache.to_owned());
        node
    }

    /// Sets how many reads L1 of its first cache has answered so far.
    pub(crate) fn has_answered_for_first_cache(&self, l1_hit: u64) {
        self.reports(|report| report.caches[0].outcomes.l1_hit = l1_hit);
    }

    /// Sets how many reads L1 has answered so far.
    pub(crate) fn has_answered(&self, l1_hit: u64) {
        self.reports(|report| report.caches = vec![cache_report(l1_hit)]);
    }

    /// Panics where the script says so.
    fn touch(&self, what: &str) {
        let panics = self.script().panics;
        assert_ne!(panics, what, "the node breaks");
    }

    /// `None`: it never answers.
    fn answer(&self, request: NodeRequest) -> Option<NodeAnswer> {
        Some(match request {
            NodeRequest::LookL1(asked) if asked.key == "unreadable" => {
                NodeAnswer::Failed { error: NodeError::BadKey(asked) }
            }
            NodeRequest::LookL1(asked) => {
                let mut script = self.script();
                script.n_looks += 1;
                if script.look_never_ends {
                    return None;
                }
                NodeAnswer::Entry { entry: script.l1.get(&asked.key).copied().map(entry) }
            }
            NodeRequest::LookL2(_) => NodeAnswer::L2 { look: Some(L2Look::Entry(entry(7))) },
            NodeRequest::MatchL1(query) => NodeAnswer::Matches(self.match_l1(&query)?),
            NodeRequest::ListL1(query) => NodeAnswer::Keys(self.list_l1(&query)?),
            NodeRequest::AmongL1(CacheKeys { keys, .. }) => {
                let script = self.script();
                let held = keys.into_iter().filter(|key| script.l1.contains_key(key));
                let rows: Vec<_> = held.map(|key| KeyRow { key, ..KeyRow::default() }).collect();
                NodeAnswer::Keys(L1Keys { n_keys: rows.len() as u64, rows, ..L1Keys::default() })
            }
            NodeRequest::SurveyL1(_) => {
                let mut script = self.script();
                script.n_surveys += 1;
                if script.l1_never_ends {
                    return None;
                }
                NodeAnswer::Survey(L1Survey::default())
            }
            NodeRequest::EventsOf(_) => NodeAnswer::Events(self.script().events.clone()),
            NodeRequest::GroupOf(_) => NodeAnswer::Group { group: Some("all".to_owned()) },
            NodeRequest::DropFromL1(asked) => {
                NodeAnswer::Done { changed: self.script().l1.remove(&asked.key).is_some() }
            }
            NodeRequest::ShowValue(asked) => NodeAnswer::Value { value: Some(asked.value) },
            NodeRequest::DeadLetters(_) | NodeRequest::MoveDeadLetters(_) => {
                let cache = CacheName { cache: request.cache().to_owned() };
                NodeAnswer::Failed { error: NodeError::NoWriteBehind(cache) }
            }
            NodeRequest::Refresh(_) | NodeRequest::Details(_) | NodeRequest::Other => {
                NodeAnswer::Failed { error: NodeError::Unsupported { version: "0".to_owned() } }
            }
        })
    }

    fn match_l1(&self, query: &L1Query) -> Option<KeyMatch> {
        let script = self.script();
        if script.l1_never_ends {
            return None;
        }
        let (pattern, limit) = (Pattern::parse(&query.pattern).unwrap(), limit(query));
        let keys = script.l1.keys().filter(|key| pattern.matches(key));
        let (n_keys, samples) = (keys.clone().count() as u64, keys.take(limit).cloned().collect());
        Some(KeyMatch { n_keys, samples, ..KeyMatch::default() })
    }

    fn list_l1(&self, query: &L1Query) -> Option<L1Keys> {
        let script = self.script();
        if script.l1_never_ends {
            return None;
        }
        let pattern = Pattern::parse(&query.pattern).unwrap();
        let keys: Vec<_> = script.l1.keys().filter(|key| pattern.matches(key)).collect();
        let n_keys = keys.len() as u64;
        let after = query.after.as_deref();
        let wanted = keys.into_iter().filter(|key| after.is_none_or(|after| key.as_str() > after));
        let row = |key: &String| KeyRow {
            key: key.clone(),
            l1: vec![self.id.clone()],
            ..KeyRow::default()
        };
        Some(L1Keys {
            n_keys,
            rows: wanted.take(limit(query)).map(row).collect(),
            is_partial: false,
        })
    }

    fn forget(&self, key: &str) {
        let mut script = self.script();
        script.l1.remove(key);
        if script.refills {
            script.l1.insert(key.to_owned(), 0);
        }
    }

    async fn invalidate_pattern(
        &self,
        pattern: &Pattern,
        progress: Arc<Progress>,
    ) -> Result<Effect, ConsoleError> {
        let n_batches = self.script().n_batches;
        for _ in 0..n_batches {
            if progress.cancelled.load(Relaxed) && !self.script().ignores_cancelling {
                break;
            }
            tokio::time::sleep(BATCH).await;
            progress.scanned.fetch_add(100, Relaxed);
            progress.removed.fetch_add(10, Relaxed);
        }
        if self.script().breaks_off {
            return Err(ConsoleError::NodeGone(self.id.clone()));
        }
        self.script().l1.retain(|key, _| !pattern.matches(key));
        Ok(self.script().effect)
    }
}

fn limit(query: &L1Query) -> usize {
    usize::try_from(query.limit).unwrap()
}

fn answer<'a, T: Send + 'a>(value: T) -> Answer<'a, T> {
    Box::pin(ready(Ok(value)))
}

/// The same value, written and read as on the way to another process.
fn over_the_wire<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn entry(age_ms: u64) -> EntryLook {
    EntryLook { fresh: true, age_ms, ..EntryLook::default() }
}

impl NodeClient for FakeNode {
    fn id(&self) -> &str {
        &self.id
    }

    fn report(&self) -> Option<SharedReport> {
        self.touch("report");
        self.script().report.clone().map(SharedReport::from)
    }

    fn events_after(&self, _cache: &str, seq: u64) -> CacheEvents {
        let all = self.script().events.clone();
        let events = all.events.into_iter().filter(|event| event.seq > seq).collect();
        CacheEvents { events, ..all }
    }

    fn ask<'a>(
        &'a self,
        request: NodeRequest,
    ) -> Pin<Box<dyn Future<Output = NodeAnswer> + Send + 'a>> {
        match self.answer(over_the_wire(&request)) {
            Some(answer) => Box::pin(ready(over_the_wire(&answer))),
            None => Box::pin(pending()),
        }
    }

    fn shared(&self) -> &dyn SharedRedis {
        self
    }
}

impl SharedRedis for FakeNode {
    fn match_l2<'a>(
        &'a self,
        _cache: &'a str,
        _pattern: &'a Pattern,
        limit: usize,
    ) -> Answer<'a, Option<KeyMatch>> {
        let samples = (0..100).map(|i| format!("z{i}")).take(limit).collect();
        let script = self.script();
        let is_partial = script.l2_is_too_large;
        let matched = KeyMatch { n_keys: 100, samples, is_partial, n_scanned: 5_000 };
        answer(script.redis.as_ref().map(|_| matched))
    }

    fn scan_l2<'a>(
        &'a self,
        _cache: &'a str,
        _pattern: &'a Pattern,
        _cursor: u64,
    ) -> Answer<'a, Option<L2Step>> {
        answer(self.script().redis.is_some().then(L2Step::default))
    }

    fn heads_l2<'a>(
        &'a self,
        _cache: &'a str,
        keys: &'a [String],
    ) -> Answer<'a, Option<Vec<Option<L2Head>>>> {
        answer(self.script().redis.is_some().then(|| vec![None; keys.len()]))
    }

    fn mark_stale<'a>(&'a self, _cache: &'a str, _key: &'a str) -> Answer<'a, Effect> {
        self.script().n_marked_stale += 1;
        answer(self.script().effect)
    }

    fn redis_server(&self) -> Answer<'_, Option<RedisServer>> {
        let script = self.script();
        answer(script.redis.is_some().then(|| script.server.clone()))
    }

    fn append<'a>(&'a self, _journal: Journal<'a>, lines: &'a [String]) -> Answer<'a, bool> {
        let mut script = self.script();
        if script.redis.is_some() {
            script.journal.extend(lines.iter().cloned());
        }
        answer(script.redis.is_some())
    }

    fn journal<'a>(&'a self, journal: Journal<'a>) -> Answer<'a, Option<Vec<String>>> {
        let script = self.script();
        let is_audit = journal.name == "audit";
        let newest_first = script.journal.iter().rev().filter(|_| is_audit).cloned().collect();
        answer(script.redis.is_some().then_some(newest_first))
    }

    fn invalidate<'a>(
        &'a self,
        _cache: &'a str,
        target: &'a Target,
        progress: Arc<Progress>,
    ) -> Answer<'a, Effect> {
        self.script().n_invalidations += 1;
        match target {
            Target::Key(key) => {
                self.touch("invalidate");
                self.forget(key);
                let peers = self.script().peers.clone();
                peers.iter().for_each(|peer| peer.forget(key));
                answer(self.script().effect)
            }
            Target::Pattern(pattern) => Box::pin(self.invalidate_pattern(pattern, progress)),
            Target::Tag(_) | Target::All => unreachable!("no console asks for it"),
        }
    }

    fn redis_state(&self) -> Answer<'_, RedisState> {
        self.touch("redis_state");
        let state = self.script().redis.clone();
        state.map_or_else(|| Box::pin(pending()) as Answer<'_, RedisState>, answer)
    }

    fn count_l2(&self) -> Answer<'_, Option<Vec<L2Count>>> {
        if self.script().redis.is_none() {
            return Box::pin(pending());
        }
        let script = self.script();
        let first = script.report.as_ref().and_then(|report| report.caches.first());
        let cache = first.map_or("users", |cache| &cache.cache).to_owned();
        answer(Some(vec![L2Count { cache, entries: 40, weight_bytes: 4_000 }]))
    }

    fn census_l2(&self) -> Answer<'_, Option<L2Census>> {
        Box::pin(async {
            let counts = self.count_l2().await?.unwrap_or_default();
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            let counted_at_ms = u64::try_from(now.as_millis()).unwrap();
            Ok(Some(L2Census { counted_at_ms, took_ms: 1, counts, ..L2Census::default() }))
        })
    }
}
