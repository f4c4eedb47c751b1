use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use strata_cache::Tasks;
use strata_report::TaskReport;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::access::{Access, Audit, PeerLimit};
use crate::alerts::ExpectedNodes;
use crate::clock::now_ms;
use crate::dead_letters::DeadLetterJobs;
use crate::invalidation::{Jobs, Plans, Protected, SilentNodes};
use crate::keys::{QueryQueues, RecentSearches, SourceReader, SurveyCache};
use crate::limits::ConsoleLimits;
use crate::live::{ActivityFeed, Reports, SampleTime, Sampler, Tick, reports_of};
use crate::nodes::{AttachedNodes, NodeClient, NodeList, RemoteNodes, SharedReport};
use crate::redis::{Census, ServerAnswer};
use crate::traffic::TrafficControl;

/// What an operator sees and may do. Cheap to clone; all clones are the same console.
#[derive(Clone)]
pub struct Console {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    /// The service's own.
    pub(crate) nodes: NodeList,
    pub(crate) attached: Arc<AttachedNodes>,
    pub(crate) audit: Audit,
    pub(crate) jobs: Jobs,
    pub(crate) dead_letter_jobs: DeadLetterJobs,
    pub(crate) silent_nodes: SilentNodes,
    pub(crate) plans: Plans,
    pub(crate) searches: RecentSearches,
    pub(crate) queries: Arc<QueryQueues>,
    pub(crate) jobs_begun: Arc<PeerLimit>,
    pub(crate) uploads: Arc<PeerLimit>,
    pub(crate) experiments: Arc<PeerLimit>,
    pub(crate) feed: ActivityFeed,
    /// Each node as it was last heard.
    pub(crate) seen: Mutex<BTreeMap<String, SharedReport>>,
    pub(crate) protected: Vec<Protected>,
    pub(crate) sources: Vec<Arc<dyn SourceReader>>,
    pub(crate) traffic: Option<Arc<dyn TrafficControl>>,
    pub(crate) access: Arc<Access>,
    pub(crate) redis_is_private: bool,
    pub(crate) census: Arc<Census>,
    pub(crate) surveys: SurveyCache,
    /// Redis's last answer, for requests that come at the same time.
    pub(crate) redis_server: tokio::sync::Mutex<Option<ServerAnswer>>,
    pub(crate) sampler: Mutex<Sampler>,
    pub(crate) tasks: Tasks,
    pub(crate) ticks: watch::Sender<Arc<Tick>>,
}

impl Console {
    /// Samples each node at once, so that the first frame is complete, and then once a second
    /// until `shutdown`, by a background task that starts again where it fails. Call it inside a
    /// tokio runtime.
    pub fn start(
        nodes: Vec<Arc<dyn NodeClient>>,
        settings: impl Into<ConsoleSettings>,
        shutdown: CancellationToken,
    ) -> Self {
        Self::start_over(NodeList::here(nodes), settings.into(), shutdown)
    }

    /// The same over the nodes of a namespace, wherever they run and as they come and go. Until
    /// Redis can be reached there are none, and an alert says so.
    pub fn start_elsewhere(
        nodes: RemoteNodes,
        settings: impl Into<ConsoleSettings>,
        shutdown: CancellationToken,
    ) -> Self {
        Self::start_over(NodeList::elsewhere_alone(nodes), settings.into(), shutdown)
    }

    /// The same over nodes of this process and the others of their namespace. While Redis cannot be
    /// reached, those of this process are shown alone, and an alert says so.
    pub fn start_among(
        (nodes, others): (Vec<Arc<dyn NodeClient>>, RemoteNodes),
        settings: impl Into<ConsoleSettings>,
        shutdown: CancellationToken,
    ) -> Self {
        Self::start_over(NodeList::here_and_elsewhere(nodes, others), settings.into(), shutdown)
    }

    fn start_over(nodes: NodeList, settings: ConsoleSettings, shutdown: CancellationToken) -> Self {
        let ConsoleSettings {
            access,
            protected,
            sources,
            traffic,
            redis_is_private,
            tasks,
            expected,
            expected_once_heard,
            limits,
        } = settings;
        let tasks = match tasks {
            Some(tasks) => tasks.until(shutdown),
            None => Tasks::new(shutdown),
        };
        let census = Arc::new(Census::default());
        let mut sampler = Sampler::new(now_ms());
        sampler.expect(expected);
        sampler.expect_once_heard(expected_once_heard);
        let heard = Reports {
            nodes: reports_of(&nodes.all()),
            fleet: nodes.fleet_tick(),
            ..Reports::default()
        };
        let first = sampler.tick(SampleTime::now(), heard, &census);
        census.start(&nodes.ways_to_redis(), &tasks);
        let inner = Inner {
            nodes,
            attached: Arc::default(),
            audit: Audit::default(),
            jobs: Jobs::default(),
            dead_letter_jobs: DeadLetterJobs::default(),
            silent_nodes: SilentNodes::default(),
            plans: Plans::default(),
            searches: RecentSearches::default(),
            queries: limits.queries,
            jobs_begun: limits.jobs,
            uploads: limits.uploads,
            experiments: limits.experiments,
            feed: ActivityFeed::default(),
            seen: Mutex::default(),
            protected,
            sources,
            traffic,
            access,
            redis_is_private,
            census,
            surveys: SurveyCache::default(),
            redis_server: tokio::sync::Mutex::default(),
            sampler: Mutex::new(sampler),
            tasks,
            ticks: watch::Sender::new(Arc::new(first)),
        };
        let console = Self { inner: Arc::new(inner) };
        console.notice(None);
        console.spawn_tasks();
        console
    }

    fn spawn_tasks(&self) {
        let (sampling, counting, keeping) = (self.clone(), self.clone(), self.clone());
        let census = self.clone();
        let tasks = &self.inner.tasks;
        if let Some(nodes) = self.inner.nodes.elsewhere().cloned() {
            tasks.spawn("fleet", move || nodes.clone().watch());
            let history = self.clone();
            tasks.spawn("history", move || history.clone().keep_history());
        }
        tasks.spawn("sampler", move || sampling.clone().sample());
        tasks.spawn("census", move || census.clone().count_keys());
        tasks.spawn("attached census", move || counting.clone().count_attached());
        tasks.spawn("audit", move || keeping.clone().keep_audit());
    }

    /// The background tasks of this console, and of the program where it lent its list, at this
    /// instant.
    pub fn tasks(&self) -> Vec<TaskReport> {
        self.inner.tasks.report()
    }

    /// Who may act.
    pub fn access(&self) -> &Access {
        &self.inner.access
    }
}

/// The settings of a console.
pub struct ConsoleSettings {
    /// Who may act. Several consoles may share it: whoever logs in at one has logged in at all.
    pub access: Arc<Access>,
    /// How much may be under way at a time. Several consoles may share it.
    pub limits: ConsoleLimits,
    /// Keys that nobody may invalidate here.
    pub protected: Vec<Protected>,
    /// What stands behind the caches.
    pub sources: Vec<Arc<dyn SourceReader>>,
    /// The traffic that the service sends itself, where it does.
    pub traffic: Option<Arc<dyn TrafficControl>>,
    /// Whether Redis belongs to this program and ends with it.
    pub redis_is_private: bool,
    /// The program's list of background tasks, for the console's own to stand in; `None` makes one.
    pub tasks: Option<Tasks>,
    /// How many nodes of which program there should be, where they are elsewhere.
    pub expected: Vec<ExpectedNodes>,
    /// The same of programs that may run in another service: it counts from when a node of one was
    /// heard here.
    pub expected_once_heard: Vec<ExpectedNodes>,
}

impl From<Access> for ConsoleSettings {
    fn from(access: Access) -> Self {
        Arc::new(access).into()
    }
}

impl From<Arc<Access>> for ConsoleSettings {
    fn from(access: Arc<Access>) -> Self {
        Self {
            access,
            limits: ConsoleLimits::default(),
            protected: Vec::new(),
            sources: Vec::new(),
            traffic: None,
            redis_is_private: false,
            tasks: None,
            expected: Vec::new(),
            expected_once_heard: Vec::new(),
        }
    }
}
