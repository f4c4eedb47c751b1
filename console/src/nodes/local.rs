//! A node of this process.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use strata_cache::{Journal, L2Census, L2Count, L2Head, L2Match, Node, Pattern, Progress, Target};
use strata_report::{
    CacheEvents, Effect, KeyMatch, NodeAnswer, NodeRequest, RedisServer, RedisState,
};

use super::client::{Answer, L2Step, NodeClient, SharedRedis};
use super::shared_report::SharedReport;

/// Redis may hold millions of keys of others, and whoever plans waits for the count.
const L2_COUNTED_FOR: Duration = Duration::from_secs(25);

impl NodeClient for Node {
    fn id(&self) -> &str {
        Self::id(self)
    }

    fn report(&self) -> Option<SharedReport> {
        Some(Self::report(self).into())
    }

    fn events_after(&self, cache: &str, seq: u64) -> CacheEvents {
        Self::events_after(self, cache, seq).unwrap_or_default()
    }

    fn ask<'a>(
        &'a self,
        request: NodeRequest,
    ) -> Pin<Box<dyn Future<Output = NodeAnswer> + Send + 'a>> {
        Box::pin(Self::answer(self, request))
    }

    fn shared(&self) -> &dyn SharedRedis {
        self
    }
}

impl SharedRedis for Node {
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

    fn redis_state(&self) -> Answer<'_, RedisState> {
        Box::pin(async move { Ok(Self::redis_state(self).await) })
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

    fn invalidate<'a>(
        &'a self,
        cache: &'a str,
        target: &'a Target,
        progress: Arc<Progress>,
    ) -> Answer<'a, Effect> {
        Box::pin(async move {
            Ok(self.invalidate_with_progress(cache, target.clone(), progress).await?)
        })
    }

    fn mark_stale<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Effect> {
        Box::pin(async move { Ok(Self::mark_stale(self, cache, key).await?) })
    }
}
