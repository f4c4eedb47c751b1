//! A node's part in its fleet: its settings, its tasks, and its answers to what consoles ask.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strata_report::{AskKind, NodeReport};

use super::builder::NodeBuilder;
use super::dyn_cache::DynCache;
use super::handle::Node;
use super::shared::Shared;
use crate::error::CacheError;
use crate::fleet::{Answer, Fleet, FleetHost};
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

    /// The name and version of the program, for consoles elsewhere. [`version`](Self::version), where
    /// it is set, goes before this one.
    pub fn app(mut self, name: &str, version: &str) -> Self {
        name.clone_into(&mut self.identity.app);
        version.clone_into(&mut self.identity.version);
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
    /// [`Fleet::refreshes`] must allow. `refresh` gets the key's text, and may panic. The last
    /// one of a cache counts.
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

/// What is asked. Each kind needs some of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AskBody {
    cache: String,
    key: String,
    keys: Vec<String>,
    pattern: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
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

    async fn answer_ask(
        &self,
        kind: AskKind,
        body: &str,
        shows_values: bool,
    ) -> Result<String, String> {
        let ask: AskBody =
            serde_json::from_str(body).map_err(|error| format!("its body: {error}"))?;
        let unknown = || CacheError::UnknownCache(ask.cache.clone());
        let cache = self.cache(&ask.cache).ok_or_else(unknown).map_err(failed)?;
        let pattern = Pattern::parse(ask.pattern.as_deref().unwrap_or("*"));
        let pattern = pattern.map_err(|error| error.to_string())?;
        let limit = ask.limit.unwrap_or(MOST_LISTED).min(MOST_LISTED);
        match kind {
            AskKind::LookL1 => {
                let looked = cache.look_l1(&ask.key).map_err(failed)?.await;
                json(&looked.map(|mut look| {
                    look.value =
                        look.value.filter(|_| shows_values).and_then(|value| cache.shown(value));
                    look.value_hidden |= look.value.is_none();
                    look
                }))
            }
            AskKind::ListL1 => {
                let list = L1List { pattern: &pattern, after: ask.after.as_deref(), limit };
                json(&cache.list_l1(&list).await)
            }
            AskKind::AmongL1 => {
                let keys: HashSet<&str> = ask.keys.iter().map(String::as_str).collect();
                json(&cache.among_l1(&keys).await)
            }
            AskKind::MatchL1 => json(&cache.match_l1(&pattern, limit).await),
            AskKind::SurveyL1 => json(&cache.survey_l1().await),
            AskKind::EventsOf => json(&cache.events_of(&ask.key)),
            AskKind::GroupOf => json(&cache.group_of(&ask.key)),
            AskKind::LookL2 => json(&look_l2(cache, &ask.key).await?),
            AskKind::Refresh => {
                let refresh =
                    self.refreshers.of(&ask.cache).ok_or("the service has not said how")?;
                refresh(ask.key).await?;
                json(&())
            }
            AskKind::Details => json(&cache.report()),
            AskKind::Other => Err("this node does not know it".to_owned()),
        }
    }
}

async fn look_l2(
    cache: Arc<dyn DynCache>,
    key: &str,
) -> Result<Option<strata_report::L2Look>, String> {
    let looked = Arc::clone(&cache).look_l2(key).map_err(failed)?.await;
    Ok(looked.map(|look| match look {
        strata_report::L2Look::Entry(mut entry) => {
            entry.value = entry.value.and_then(|value| cache.shown(value));
            entry.value_hidden |= entry.value.is_none();
            strata_report::L2Look::Entry(entry)
        }
        other => other,
    }))
}

fn failed(error: CacheError) -> String {
    format!("the node failed to {error}")
}

fn json(answer: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(answer).map_err(|error| error.to_string())
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
        kind: AskKind,
        body: String,
        shows_values: bool,
    ) -> BoxFuture<'static, Answer> {
        Box::pin(async move {
            let answering = self.answer_ask(kind, &body, shows_values);
            let (body, at_least) = slices::within(WALK_BUDGET, answering).await;
            Answer { body, at_least }
        })
    }
}
