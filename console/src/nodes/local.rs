//! A node of this process.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use strata_cache::{
    CacheError, DeadLetterList, DeadLetterStep, Journal, L1List, L2Census, L2Count, L2Head,
    L2Match, Node, Pattern, Progress,
};
use strata_report::{
    CacheEvents, CacheKey, CacheName, DeadLetterPage, DeadLetterResult, Effect, KeyMatch, L1Keys,
    L1Query, NodeAnswer, NodeError, NodeReport, NodeRequest, RedisServer, RedisState,
};

use super::client::{Answer, L2Step, NodeClient, SharedRedis};

/// Redis may hold millions of keys of others, and whoever plans waits for the count.
const L2_COUNTED_FOR: Duration = Duration::from_secs(25);

impl NodeClient for Node {
    fn id(&self) -> &str {
        Self::id(self)
    }

    fn report(&self) -> Option<NodeReport> {
        Some(Self::report(self))
    }

    fn events_after(&self, cache: &str, seq: u64) -> CacheEvents {
        Self::events_after(self, cache, seq).unwrap_or_default()
    }

    fn ask<'a>(
        &'a self,
        request: NodeRequest,
    ) -> Pin<Box<dyn Future<Output = NodeAnswer> + Send + 'a>> {
        Box::pin(async move {
            answer(self, request).await.unwrap_or_else(|error| NodeAnswer::Failed { error })
        })
    }

    fn shared(&self) -> &dyn SharedRedis {
        self
    }
}

async fn answer(node: &Node, request: NodeRequest) -> Result<NodeAnswer, NodeError> {
    Ok(match request {
        NodeRequest::LookL1(CacheKey { cache, key }) => {
            NodeAnswer::Entry { entry: node.look_l1(&cache, &key).await.map_err(node_error)? }
        }
        NodeRequest::LookL2(CacheKey { cache, key }) => {
            NodeAnswer::L2 { look: node.look_l2(&cache, &key).await.map_err(node_error)? }
        }
        NodeRequest::ListL1(query) => NodeAnswer::Keys(list_l1(node, &query).await?),
        NodeRequest::MatchL1(query) => NodeAnswer::Matches(match_l1(node, &query).await?),
        NodeRequest::AmongL1(keys) => {
            let rows = node.among_l1(&keys.cache, &keys.keys).await.map_err(node_error)?;
            NodeAnswer::Keys(L1Keys { n_keys: rows.len() as u64, rows })
        }
        NodeRequest::SurveyL1(CacheName { cache }) => {
            NodeAnswer::Survey(node.survey_l1(&cache).await.map_err(node_error)?)
        }
        NodeRequest::EventsOf(CacheKey { cache, key }) => {
            NodeAnswer::Events(node.events_of(&cache, &key).map_err(node_error)?)
        }
        NodeRequest::GroupOf(CacheKey { cache, key }) => {
            NodeAnswer::Group { group: node.group_of(&cache, &key).map_err(node_error)? }
        }
        // A node of this process is loaded through the console's own source.
        NodeRequest::Refresh(CacheKey { cache, .. }) => {
            return Err(NodeError::NoLoader(CacheName { cache }));
        }
        NodeRequest::DropFromL1(CacheKey { cache, key }) => {
            NodeAnswer::Done { changed: node.drop_from_l1(&cache, &key).map_err(node_error)? }
        }
        NodeRequest::ShowValue(asked) => {
            let value = node.shown(&asked.cache, asked.value).map_err(node_error)?;
            NodeAnswer::Value { value }
        }
        NodeRequest::Details(CacheName { cache }) => {
            let report = node.report().caches.into_iter().find(|report| report.cache == cache);
            let unknown = || NodeError::UnknownCache(CacheName { cache });
            NodeAnswer::Report(Box::new(report.ok_or_else(unknown)?))
        }
        NodeRequest::Other => {
            let version = env!("CARGO_PKG_VERSION").to_owned();
            return Err(NodeError::Unsupported { version });
        }
    })
}

async fn list_l1(node: &Node, query: &L1Query) -> Result<L1Keys, NodeError> {
    let (pattern, limit) = (pattern(query)?, limit(query));
    let list = L1List { pattern: &pattern, after: query.after.as_deref(), limit };
    let (n_keys, rows) = node.list_l1(&query.cache, &list).await.map_err(node_error)?;
    Ok(L1Keys { n_keys, rows })
}

async fn match_l1(node: &Node, query: &L1Query) -> Result<KeyMatch, NodeError> {
    let matched = node.match_l1(&query.cache, &pattern(query)?, limit(query)).await;
    let (n_keys, samples) = matched.map_err(node_error)?;
    Ok(KeyMatch { n_keys, samples, ..KeyMatch::default() })
}

fn pattern(query: &L1Query) -> Result<Pattern, NodeError> {
    let bad = |_| NodeError::BadPattern { pattern: query.pattern.clone() };
    match query.pattern.as_str() {
        // No pattern is every key.
        "" => Ok(Pattern::prefix("")),
        pattern => Pattern::parse(pattern).map_err(bad),
    }
}

fn limit(query: &L1Query) -> usize {
    usize::try_from(query.limit).unwrap_or(usize::MAX)
}

fn node_error(error: CacheError) -> NodeError {
    match error {
        CacheError::UnknownCache(cache) => NodeError::UnknownCache(CacheName { cache }),
        CacheError::BadKey { cache, key } => NodeError::BadKey(CacheKey { cache, key }),
        CacheError::NoKeyText(cache) => NodeError::NoKeyText(CacheName { cache }),
        CacheError::OnlyObserved(cache) => NodeError::OnlyObserved(CacheName { cache }),
        // No request is about a write-behind.
        error @ (CacheError::NoWriteBehind(_) | CacheError::DeadLettersAway(_)) => {
            NodeError::Refused { because: error.to_string() }
        }
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

    fn invalidate<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Effect> {
        Box::pin(async move { Ok(Self::invalidate(self, cache, key).await?) })
    }

    fn mark_stale<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, Effect> {
        Box::pin(async move { Ok(Self::mark_stale(self, cache, key).await?) })
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
}
