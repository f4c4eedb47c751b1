//! What a node answers to a console, in its own process or through the fleet.

use std::collections::HashSet;
use std::sync::Arc;

use strata_report::{
    CacheKey, CacheKeys, CacheName, DeadLetterMove, DeadLetterQuery, DeadLetterRequest, KeyMatch,
    L1Keys, L1Query, NodeAnswer, NodeError, NodeRequest,
};

use super::dead_letter_filter::DeadLetterFilter;
use super::dyn_cache::DynCache;
use super::dyn_write_behind::{DeadLetterList, DeadLetterStep};
use super::handle::Node;
use super::shared::Shared;
use crate::error::CacheError;
use crate::l1::L1List;
use crate::pattern::Pattern;

impl Node {
    /// Answers what a console asks of this node: looks, lists, counts, events, loads, dead letters. A
    /// limit of 0 only counts keys. Values are whole: who shows them asks first
    /// [`ShowValue`](NodeRequest::ShowValue) what people may see of them.
    /// [`Refresh`](NodeRequest::Refresh) loads as [`refresh_with`](Node::refresh_with) says.
    ///
    /// It never fails: what goes wrong is a [`NodeAnswer::Failed`]. It may be dropped at any point;
    /// a step over dead letters runs to its end all the same.
    pub async fn answer(&self, request: NodeRequest) -> NodeAnswer {
        let cache = match self.reaches_all {
            // Where it has the cache itself, it would show values that another node need not.
            true => self.shared.cache_by_name(request.cache()),
            false => self.shared.cache(request.cache()),
        };
        self.shared.answer_of(cache, request).await
    }
}

impl Shared {
    #[cfg(feature = "fleet")]
    pub(crate) async fn answer(&self, request: NodeRequest) -> NodeAnswer {
        self.answer_of(self.cache(request.cache()), request).await
    }

    async fn answer_of(
        &self,
        cache: Option<Arc<dyn DynCache>>,
        request: NodeRequest,
    ) -> NodeAnswer {
        let answer = self.try_answer(cache, request).await;
        answer.unwrap_or_else(|error| NodeAnswer::Failed { error })
    }

    async fn try_answer(
        &self,
        cache: Option<Arc<dyn DynCache>>,
        request: NodeRequest,
    ) -> Result<NodeAnswer, NodeError> {
        if request == NodeRequest::Other {
            let version = env!("CARGO_PKG_VERSION").to_owned();
            return Err(NodeError::Unsupported { version });
        }
        let name = request.cache().to_owned();
        let unknown = || NodeError::UnknownCache(CacheName { cache: name.clone() });
        let cache = cache.ok_or_else(unknown)?;
        Ok(match request {
            NodeRequest::LookL1(CacheKey { key, .. }) => {
                NodeAnswer::Entry { entry: cache.look_l1(&key).map_err(node_error)?.await }
            }
            NodeRequest::LookL2(CacheKey { key, .. }) => {
                let looking = Arc::clone(&cache).look_l2(&key).map_err(node_error)?;
                NodeAnswer::L2 { look: looking.await }
            }
            NodeRequest::ListL1(query) => {
                let (pattern, limit) = (pattern(&query)?, limit(&query));
                let list = L1List { pattern: &pattern, after: query.after.as_deref(), limit };
                let (n_keys, rows) = cache.list_l1(&list).await;
                NodeAnswer::Keys(L1Keys { n_keys, rows, is_partial: false })
            }
            NodeRequest::MatchL1(query) => {
                let (n_keys, samples) = cache.match_l1(&pattern(&query)?, limit(&query)).await;
                NodeAnswer::Matches(KeyMatch { n_keys, samples, ..KeyMatch::default() })
            }
            NodeRequest::AmongL1(CacheKeys { keys, .. }) => {
                let keys: HashSet<&str> = keys.iter().map(String::as_str).collect();
                let rows = cache.among_l1(&keys).await;
                NodeAnswer::Keys(L1Keys { n_keys: rows.len() as u64, rows, is_partial: false })
            }
            NodeRequest::SurveyL1(_) => NodeAnswer::Survey(cache.survey_l1().await),
            NodeRequest::EventsOf(CacheKey { key, .. }) => {
                let mut events = self.named(cache.events_of(&key), &name);
                events.events.iter_mut().for_each(|event| event.key = Some(key.clone()));
                NodeAnswer::Events(events)
            }
            NodeRequest::GroupOf(CacheKey { key, .. }) => {
                NodeAnswer::Group { group: cache.group_of(&key) }
            }
            NodeRequest::Refresh(key) => self.refresh(key).await?,
            NodeRequest::DropFromL1(CacheKey { key, .. }) => {
                NodeAnswer::Done { changed: cache.drop_text(&key).map_err(node_error)? }
            }
            NodeRequest::ShowValue(asked) => NodeAnswer::Value { value: cache.shown(asked.value) },
            NodeRequest::Details(_) => NodeAnswer::Report(Box::new(cache.report())),
            NodeRequest::DeadLetters(request) => self.page_of_dead_letters(request).await?,
            NodeRequest::MoveDeadLetters(step) => self.step_over_dead_letters(step).await?,
            NodeRequest::Other => return Err(NodeError::Other),
        })
    }

    async fn page_of_dead_letters(
        &self,
        DeadLetterRequest { cache, query, after, limit }: DeadLetterRequest,
    ) -> Result<NodeAnswer, NodeError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX).clamp(1, MOST_DEAD_LETTERS);
        let list = DeadLetterList { filter: filter(&query)?, after, limit };
        let listing = self.write_behind(&cache).map_err(node_error)?.dead_letters(list);
        listing.await.map(NodeAnswer::DeadLetters).map_err(node_error)
    }

    async fn step_over_dead_letters(
        &self,
        DeadLetterMove { cache, action, query, from }: DeadLetterMove,
    ) -> Result<NodeAnswer, NodeError> {
        let step = DeadLetterStep { action, filter: filter(&query)?, from };
        let moving = self.write_behind(&cache).map_err(node_error)?.move_dead_letters(step);
        moving.await.map(NodeAnswer::DeadLettersMoved).map_err(node_error)
    }

    #[cfg(feature = "fleet")]
    async fn refresh(&self, CacheKey { cache, key }: CacheKey) -> Result<NodeAnswer, NodeError> {
        let refresh = self.refreshers.of(&cache);
        let refresh = refresh.ok_or(NodeError::NoLoader(CacheName { cache }))?;
        refresh(key).await.map_err(|why| NodeError::SourceFailed { why })?;
        Ok(NodeAnswer::Done { changed: true })
    }

    #[cfg(not(feature = "fleet"))]
    async fn refresh(&self, CacheKey { cache, .. }: CacheKey) -> Result<NodeAnswer, NodeError> {
        Err(NodeError::NoLoader(CacheName { cache }))
    }
}

fn pattern(query: &L1Query) -> Result<Pattern, NodeError> {
    let bad = |_| NodeError::BadPattern { pattern: query.pattern.clone() };
    match query.pattern.as_str() {
        // No pattern is every key.
        "" => Ok(Pattern::prefix("")),
        text => Pattern::parse(text).map_err(bad),
    }
}

/// The most dead letters of one page.
const MOST_DEAD_LETTERS: usize = 1_000;

/// Every field that is set counts, but the node: it is the one that was asked.
fn filter(query: &DeadLetterQuery) -> Result<DeadLetterFilter, NodeError> {
    let bad = |_| NodeError::BadPattern { pattern: query.key.clone().unwrap_or_default() };
    DeadLetterFilter::try_from(query).map_err(bad)
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
        CacheError::NoWriteBehind(cache) => NodeError::NoWriteBehind(CacheName { cache }),
        CacheError::DeadLettersAway(cache) => NodeError::DeadLettersAway(CacheName { cache }),
    }
}
