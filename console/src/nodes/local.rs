use std::sync::Arc;
use std::time::Duration;

use strata_cache::{
    CacheEvents, DeadLetterList, DeadLetterStep, Journal, L1List, L1Survey, L2Census, L2Count,
    L2Head, L2Match, Node, Pattern, Progress,
};
use strata_report::{
    DeadLetterPage, DeadLetterResult, Effect, EntryLook, KeyRow, L2Look, NodeReport, RedisServer,
    RedisState,
};

use super::client::{Answer, KeyMatch, L1Listed, L2Step, NodeClient};

/// Redis may hold millions of keys of others, and whoever plans waits for the count.
const L2_COUNTED_FOR: Duration = Duration::from_secs(25);

/// A node of this process.
impl NodeClient for Node {
    fn id(&self) -> &str {
        Self::id(self)
    }

    fn report(&self) -> Option<NodeReport> {
        Some(Self::report(self))
    }

    fn look_l1<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<EntryLook>> {
        Box::pin(async move { Ok(Self::look_l1(self, cache, key).await?) })
    }

    fn look_l2<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<L2Look>> {
        Box::pin(async move { Ok(Self::look_l2(self, cache, key).await?) })
    }

    fn shown<'a>(&'a self, cache: &'a str, value: String) -> Answer<'a, Option<String>> {
        Box::pin(async move { Ok(Self::shown(self, cache, value)?) })
    }

    fn match_l1<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        limit: usize,
    ) -> Answer<'a, KeyMatch> {
        Box::pin(async move {
            let (n_keys, samples) = Self::match_l1(self, cache, pattern, limit).await?;
            Ok(KeyMatch { n_keys, samples, ..KeyMatch::default() })
        })
    }

    fn match_l2<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        limit: usize,
    ) -> Answer<'a, Option<KeyMatch>> {
        Box::pin(async move {
            let within = L2_COUNTED_FOR;
            let found = Self::match_l2_within(self, cache, pattern, limit, within).await?;
            Ok(found.map(|L2Match { n_keys, keys: samples, is_whole, n_scanned }| KeyMatch {
                n_keys,
                samples,
                is_partial: !is_whole,
                n_scanned,
            }))
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

    fn dead_letters<'a>(
        &'a self,
        cache: &'a str,
        list: DeadLetterList,
    ) -> Answer<'a, DeadLetterPage> {
        Box::pin(async move { Ok(Self::dead_letters(self, cache, list).await?) })
    }

    fn move_dead_letters<'a>(
        &'a self,
        cache: &'a str,
        step: DeadLetterStep,
    ) -> Answer<'a, DeadLetterResult> {
        Box::pin(async move { Ok(Self::move_dead_letters(self, cache, step).await?) })
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

    fn census_l2(&self) -> Answer<'_, Option<L2Census>> {
        Box::pin(async move { Ok(Self::census_l2(self).await) })
    }

    fn list_l1<'a>(&'a self, cache: &'a str, list: L1List<'a>) -> Answer<'a, L1Listed> {
        Box::pin(async move {
            let (n_keys, rows) = Self::list_l1(self, cache, &list).await?;
            Ok(L1Listed { n_keys, rows })
        })
    }

    fn among_l1<'a>(&'a self, cache: &'a str, keys: &'a [String]) -> Answer<'a, Vec<KeyRow>> {
        Box::pin(async move { Ok(Self::among_l1(self, cache, keys).await?) })
    }

    fn survey_l1<'a>(&'a self, cache: &'a str) -> Answer<'a, L1Survey> {
        Box::pin(async move { Ok(Self::survey_l1(self, cache).await?) })
    }

    fn scan_l2<'a>(
        &'a self,
        cache: &'a str,
        pattern: &'a Pattern,
        cursor: u64,
    ) -> Answer<'a, Option<L2Step>> {
        Box::pin(async move {
            let step = Self::scan_l2(self, cache, pattern, cursor).await?;
            Ok(step.map(|(next, keys)| L2Step { next, keys }))
        })
    }

    fn heads_l2<'a>(
        &'a self,
        cache: &'a str,
        keys: &'a [String],
    ) -> Answer<'a, Option<Vec<Option<L2Head>>>> {
        Box::pin(async move { Ok(Self::heads_l2(self, cache, keys).await?) })
    }

    fn group_of<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move { Ok(Self::group_of(self, cache, key)?) })
    }

    fn events_after(&self, cache: &str, seq: u64) -> CacheEvents {
        Self::events_after(self, cache, seq).unwrap_or_default()
    }

    fn events_of<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, CacheEvents> {
        Box::pin(async move { Ok(Self::events_of(self, cache, key)?) })
    }

    fn mark_stale<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Effect> {
        Box::pin(async move { Ok(Self::mark_stale(self, cache, key).await?) })
    }

    fn drop_from_l1<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, bool> {
        Box::pin(async move { Ok(Self::drop_from_l1(self, cache, key)?) })
    }

    fn redis_server(&self) -> Answer<'_, Option<RedisServer>> {
        Box::pin(async move { Ok(Self::redis_server(self).await) })
    }

    fn append<'a>(&'a self, journal: Journal<'a>, lines: &'a [String]) -> Answer<'a, bool> {
        Box::pin(async move { Ok(Self::append(self, journal, lines).await) })
    }

    fn journal<'a>(&'a self, journal: Journal<'a>) -> Answer<'a, Option<Vec<String>>> {
        Box::pin(async move { Ok(Self::journal(self, journal).await) })
    }
}
