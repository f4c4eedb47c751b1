//! A node's part in its fleet: its settings, its tasks, and its answers to what consoles ask.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use strata_report::{
    CacheKey, CacheKeys, CacheName, EntryLook, KeyMatch, L1Keys, L1Query, L2Look, NodeAnswer,
    NodeError, NodeReport, NodeRequest,
};

use super::builder::NodeBuilder;
use super::dyn_cache::DynCache;
use super::handle::Node;
use super::shared::Shared;
use crate::error::CacheError;
use crate::fleet::{Fleet, FleetHost};
use crate::l1::{L1List, slices};
use crate::pattern::Pattern;
use crate::user_code::BoxFuture;

/// A walk over L1 for a console takes so much of a thread's time at most.
const WALK_BUDGET: Duration = Duration::from_millis(100);

/// The most keys that are listed.
const MOST_LISTED: usize = 1_000;

/// How a service loads keys anew for consoles, by cache.
#[derive(Default)]
pub(crate) struct Refreshers(RwLock<HashMap<String, Refresher>>);

type Refresher = Arc<dyn Fn(String) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

impl Refreshers {
    fn of(&self, cache: &str) -> Option<Refresher> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(cache).cloned()
    }
}

impl NodeBuilder {
    /// What the node tells consoles elsewhere and lets them do. Default `Fleet::reports().looks()`.
    /// It takes effect where the node has Redis.
    pub fn fleet(mut self, fleet: Fleet) -> Self {
        self.fleet = fleet;
        self
    }

    /// The name and version of the program, for reports and for consoles elsewhere. It sets the same
    /// version as [`version`](Self::version).
    pub fn app(mut self, name: &str, version: &str) -> Self {
        name.clone_into(&mut self.identity.app);
        version.clone_into(&mut self.version);
        self
    }

    /// The environment that the node belongs to, as `production`, for consoles elsewhere.
    pub fn environment(mut self, name: &str) -> Self {
        name.clone_into(&mut self.identity.environment);
        self
    }

    /// Something else to say of the node, as its zone, for consoles elsewhere. The last value of a
    /// name counts.
    pub fn label(mut self, name: &str, value: &str) -> Self {
        self.identity.labels.insert(name.to_owned(), value.to_owned());
        self
    }
}

impl Node {
    /// How a cache's keys are loaded anew where a console asks for it, which
    /// [`Fleet::refreshes`] must allow. `refresh` gets the key's text, and may panic. It is
    /// dropped where it takes longer than the console waits. The last one of a cache counts.
    pub fn refresh_with<F, Fut>(&self, cache: &str, refresh: F)
    where
        F: Fn(String) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let refresh: Refresher = Arc::new(move |key| Box::pin(refresh(key)));
        let mut refreshers =
            self.shared().refreshers.0.write().unwrap_or_else(PoisonError::into_inner);
        refreshers.insert(cache.to_owned(), refresh);
    }
}

impl Shared {
    /// Shows the node to consoles elsewhere until it ends.
    pub(super) fn spawn_fleet_tasks(self: &Arc<Self>) {
        let Some(presence) = &self.presence else { return };
        let (shared, beating) = (Arc::clone(self), Arc::clone(presence));
        self.tasks.spawn("fleet beats", move || {
            let (host, presence) = (Arc::clone(&shared), Arc::clone(&beating));
            async move { presence.beat(host).await }
        });
        let (shared, answering) = (Arc::clone(self), Arc::clone(presence));
        self.tasks.spawn("fleet answers", move || {
            let (host, presence) = (Arc::clone(&shared), Arc::clone(&answering));
            async move { presence.answer(host).await }
        });
        // No task of the supervisor's: those end at the shutdown, and this begins there.
        let (shutdown, leaving) = (self.shutdown.clone(), Arc::clone(presence));
        tokio::spawn(async move {
            shutdown.cancelled().await;
            leaving.leave().await;
        });
    }

    async fn answer_request(
        &self,
        request: NodeRequest,
        shows_values: bool,
    ) -> Result<NodeAnswer, NodeError> {
        let name = request.cache().to_owned();
        let named = || CacheName { cache: name.clone() };
        let cache = self.cache(&name).ok_or_else(|| NodeError::UnknownCache(named()))?;
        Ok(match request {
            NodeRequest::LookL1(CacheKey { key, .. }) => {
                let looked = cache.look_l1(&key).map_err(error_of)?.await;
                let entry = looked.map(|mut entry| {
                    entry.value_hidden |= entry.value.is_some() && !shows_values;
                    entry.value = entry.value.filter(|_| shows_values);
                    shown(&*cache, entry)
                });
                NodeAnswer::Entry { entry }
            }
            NodeRequest::LookL2(CacheKey { key, .. }) => {
                let looked = Arc::clone(&cache).look_l2(&key).map_err(error_of)?.await;
                let look = looked.map(|look| match look {
                    L2Look::Entry(entry) => L2Look::Entry(shown(&*cache, entry)),
                    other => other,
                });
                NodeAnswer::L2 { look }
            }
            NodeRequest::ListL1(query) => {
                let (pattern, limit) = (pattern(&query)?, limit(&query));
                let list = L1List { pattern: &pattern, after: query.after.as_deref(), limit };
                let (n_keys, rows) = cache.list_l1(&list).await;
                NodeAnswer::Keys(L1Keys { n_keys, rows })
            }
            NodeRequest::MatchL1(query) => {
                let (n_keys, samples) = cache.match_l1(&pattern(&query)?, limit(&query)).await;
                NodeAnswer::Matches(KeyMatch { n_keys, samples, ..KeyMatch::default() })
            }
            NodeRequest::AmongL1(CacheKeys { keys, .. }) => {
                let keys: HashSet<&str> = keys.iter().map(String::as_str).collect();
                let rows = cache.among_l1(&keys).await;
                NodeAnswer::Keys(L1Keys { n_keys: rows.len() as u64, rows })
            }
            NodeRequest::SurveyL1(_) => NodeAnswer::Survey(cache.survey_l1().await),
            NodeRequest::EventsOf(CacheKey { key, .. }) => {
                NodeAnswer::Events(cache.events_of(&key))
            }
            NodeRequest::GroupOf(CacheKey { key, .. }) => {
                NodeAnswer::Group { group: cache.group_of(&key) }
            }
            NodeRequest::Refresh(CacheKey { key, .. }) => {
                let refresh = self.refreshers.of(&name);
                let refresh = refresh.ok_or_else(|| NodeError::NoLoader(named()))?;
                refresh(key).await.map_err(|why| NodeError::SourceFailed { why })?;
                NodeAnswer::Done { changed: true }
            }
            NodeRequest::Details(_) => NodeAnswer::Report(Box::new(cache.report())),
            NodeRequest::DropFromL1(_) | NodeRequest::ShowValue(_) | NodeRequest::Other => {
                return Err(NodeError::Unsupported {
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                });
            }
        })
    }
}

/// An entry with its value as its cache lets people see it. One that remembers that there is none
/// hides nothing.
fn shown(cache: &dyn DynCache, mut entry: EntryLook) -> EntryLook {
    let had_value = entry.value.is_some();
    entry.value = entry.value.and_then(|value| cache.shown(value));
    entry.value_hidden |= had_value && entry.value.is_none();
    entry
}

fn pattern(query: &L1Query) -> Result<Pattern, NodeError> {
    match query.pattern.as_str() {
        // No pattern is every key.
        "" => Ok(Pattern::prefix("")),
        text => {
            Pattern::parse(text).map_err(|_| NodeError::BadPattern { pattern: text.to_owned() })
        }
    }
}

fn limit(query: &L1Query) -> usize {
    match usize::try_from(query.limit).unwrap_or(usize::MAX) {
        0 => MOST_LISTED,
        limit => limit.min(MOST_LISTED),
    }
}

fn error_of(error: CacheError) -> NodeError {
    match error {
        CacheError::UnknownCache(cache) => NodeError::UnknownCache(CacheName { cache }),
        CacheError::BadKey { cache, key } => NodeError::BadKey(CacheKey { cache, key }),
        CacheError::NoKeyText(cache) => NodeError::NoKeyText(CacheName { cache }),
        CacheError::OnlyObserved(cache) => NodeError::OnlyObserved(CacheName { cache }),
        error => NodeError::Refused { because: error.to_string() },
    }
}

impl FleetHost for Shared {
    fn report(&self) -> NodeReport {
        Self::report(self)
    }

    fn acted_on(&self) -> u64 {
        self.bus_reader.heard()
    }

    fn cache_names(&self) -> Vec<String> {
        self.caches().iter().map(|cache| cache.name().to_owned()).collect()
    }

    fn answer(
        self: Arc<Self>,
        request: NodeRequest,
        shows_values: bool,
    ) -> BoxFuture<'static, (NodeAnswer, bool)> {
        Box::pin(async move {
            let answering = self.answer_request(request, shows_values);
            let (answer, ran_out) = slices::within(WALK_BUDGET, answering).await;
            let mut answer = answer.unwrap_or_else(|error| NodeAnswer::Failed { error });
            if let NodeAnswer::Matches(matches) = &mut answer {
                matches.is_partial |= ran_out;
            }
            (answer, ran_out)
        })
    }
}
