use std::future::{pending, ready};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use strata_cache::{
    CacheEvents, Journal, L1List, L1Survey, L2Census, L2Count, L2Head, Pattern, Progress,
};
use strata_console::{Answer, ConsoleError, KeyMatch, L1Listed, L2Step, NodeClient};
use strata_report::{Effect, EntryLook, KeyRow, L2Look, NodeReport, RedisServer, RedisState};

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

    fn forget(&self, key: &str) {
        let mut script = self.script();
        script.l1.remove(key);
        if script.refills {
            script.l1.insert(key.to_owned(), 0);
        }
    }
}

fn answer<'a, T: Send + 'a>(value: T) -> Answer<'a, T> {
    Box::pin(ready(Ok(value)))
}

fn entry(age_ms: u64) -> EntryLook {
    EntryLook {
        value_hidden: false,
        value: None,
        served_stale: false,
        fresh: true,
        age_ms,
        expires_in_ms: None,
        version: None,
        tags: Vec::new(),
        bytes: None,
    }
}

impl NodeClient for FakeNode {
    fn id(&self) -> &str {
        &self.id
    }

    fn report(&self) -> Option<NodeReport> {
        self.touch("report");
        self.script().report.clone()
    }

    fn look_l1<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<EntryLook>> {
        if key == "unreadable" {
            let (cache, key) = (cache.to_owned(), key.to_owned());
            let error = ConsoleError::BadKey { cache, key, reason: "its keys look different" };
            return Box::pin(ready(Err(error)));
        }
        self.script().n_looks += 1;
        if self.script().look_never_ends {
            return Box::pin(pending());
        }
        answer(self.script().l1.get(key).copied().map(entry))
    }

    fn look_l2<'a>(&'a self, _cache: &'a str, _key: &'a str) -> Answer<'a, Option<L2Look>> {
        answer(Some(L2Look::Entry(entry(7))))
    }

    fn shown<'a>(&'a self, _cache: &'a str, value: String) -> Answer<'a, Option<String>> {
        answer(Some(value))
    }

    fn match_l1<'a>(
        &'a self,
        _cache: &'a str,
        pattern: &'a Pattern,
        limit: usize,
    ) -> Answer<'a, KeyMatch> {
        let script = self.script();
        if script.l1_never_ends {
            return Box::pin(pending());
        }
        let keys = script.l1.keys().filter(|key| pattern.matches(key));
        let (n_keys, samples) = (keys.clone().count() as u64, keys.take(limit).cloned().collect());
        answer(KeyMatch { n_keys, samples, ..KeyMatch::default() })
    }

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

    fn list_l1<'a>(&'a self, _cache: &'a str, list: L1List<'a>) -> Answer<'a, L1Listed> {
        let script = self.script();
        if script.l1_never_ends {
            return Box::pin(pending());
        }
        let keys: Vec<_> = script.l1.keys().filter(|key| list.pattern.matches(key)).collect();
        let n_keys = keys.len() as u64;
        let wanted =
            keys.into_iter().filter(|key| list.after.is_none_or(|after| key.as_str() > after));
        let row = |key: &String| KeyRow {
            key: key.clone(),
            l1: vec![self.id.clone()],
            ..KeyRow::default()
        };
        answer(L1Listed { n_keys, rows: wanted.take(list.limit).map(row).collect() })
    }

    fn among_l1<'a>(&'a self, _cache: &'a str, keys: &'a [String]) -> Answer<'a, Vec<KeyRow>> {
        let script = self.script();
        let held = keys.iter().filter(|key| script.l1.contains_key(*key));
        let row = |key: &String| KeyRow { key: key.clone(), ..KeyRow::default() };
        answer(held.map(row).collect())
    }

    fn survey_l1<'a>(&'a self, _cache: &'a str) -> Answer<'a, L1Survey> {
        self.script().n_surveys += 1;
        if self.script().l1_never_ends {
            return Box::pin(pending());
        }
        answer(L1Survey::default())
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

    fn group_of<'a>(&'a self, _cache: &'a str, _key: &'a str) -> Answer<'a, Option<String>> {
        answer(Some("all".to_owned()))
    }

    fn events_after(&self, _cache: &str, seq: u64) -> CacheEvents {
        let all = self.script().events.clone();
        let events = all.events.into_iter().filter(|event| event.seq > seq).collect();
        CacheEvents { events, ..all }
    }

    fn events_of<'a>(&'a self, _cache: &'a str, _key: &'a str) -> Answer<'a, CacheEvents> {
        answer(self.script().events.clone())
    }

    fn drop_from_l1<'a>(&'a self, _cache: &'a str, key: &'a str) -> Answer<'a, bool> {
        answer(self.script().l1.remove(key).is_some())
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

    fn invalidate<'a>(&'a self, _cache: &'a str, key: &'a str) -> Answer<'a, Effect> {
        self.touch("invalidate");
        self.script().n_invalidations += 1;
        self.forget(key);
        let effect = self.script().effect;
        let peers = self.script().peers.clone();
        peers.iter().for_each(|peer| peer.forget(key));
        answer(effect)
    }

    fn invalidate_pattern<'a>(
        &'a self,
        _cache: &'a str,
        pattern: &'a Pattern,
        progress: Arc<Progress>,
    ) -> Answer<'a, Effect> {
        self.script().n_invalidations += 1;
        let n_batches = self.script().n_batches;
        Box::pin(async move {
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
        })
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
