//! A console over HTTP: its state, its metrics, and who decides about requests.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use prometheus::Registry;
use strata_app::{ApplicationPage, BasePath, PageFiles};
use strata_console::{Console, PeerBounds, PeerLimit};
#[cfg(feature = "lab")]
use strata_lab::Lab;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::access::ApplicationRules;
use crate::http::below_base;
use crate::metrics::{
    ConsolesCollector, HttpMetrics, LabelledConsole, NodeCollector, NodeMetrics, ProgramCollector,
    Several, observed,
};
use crate::routes::{
    AccessRules, Admission, MoreRoutes, QueryParameters, Route, front_router, router, routes,
    unknown_service_router,
};
use crate::state::{AppState, Attention, Needs, Parts};

/// A console over HTTP. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct ConsoleRouter {
    state: AppState,
    admission: Admission,
    http: HttpMetrics,
    numbers: NodeCollector,
    /// Where it stands for several: these.
    several: Several,
    /// The connections that are open, where they are the program's own.
    connections: Option<Arc<PeerLimit>>,
    base: Option<BasePath>,
}

/// What a program of ours serves its console with.
pub struct OwnParts {
    /// By which rules requests are admitted.
    pub rules: AccessRules,
    /// How many event streams there may be.
    pub streams: PeerBounds,
    /// The connections that are open.
    pub connections: Arc<PeerLimit>,
    /// What the program depends on beside its nodes.
    pub needs: Needs,
    /// Whether metrics tell nodes apart.
    pub metrics: NodeMetrics,
    /// The lab, where there is one.
    #[cfg(feature = "lab")]
    pub lab: Option<Arc<Lab>>,
    /// Under which path browsers find it.
    pub base: BasePath,
    /// Ends the event streams.
    pub shutdown: CancellationToken,
}

/// What an application puts around a console.
pub(crate) struct ApplicationParts {
    pub(crate) rules: ApplicationRules,
    pub(crate) page: ApplicationPage,
    /// How often it is asked again who reads a stream.
    pub(crate) access_rechecked_every: Duration,
    /// Under which path browsers find it, where a proxy keeps a part of it to itself.
    pub(crate) base: Option<BasePath>,
    pub(crate) shutdown: CancellationToken,
    /// Who is told that somebody looks, where nodes are elsewhere.
    pub(crate) attention: Option<Arc<Attention>>,
    /// Ends the console with its router.
    pub(crate) end: DropGuard,
}

/// How long begun jobs may take to end at a stop, and again once they are cancelled.
const JOBS_MAY_TAKE: Duration = Duration::from_secs(3);

/// Event streams of a dashboard within an application, whose connections are its own.
const STREAMS: PeerBounds = PeerBounds { total: 256, per_peer: 64 };

impl ConsoleRouter {
    /// Of a program of ours, with tokens and sessions. Its metrics are the program's own, until it is
    /// told to show those [of its nodes](Self::show_own_numbers) or
    /// [of several consoles](Self::show_numbers_of).
    ///
    /// # Errors
    /// Where two metrics have one name.
    pub fn of_program(console: Console, parts: OwnParts) -> Result<Self, prometheus::Error> {
        let streams = PeerLimit::new(parts.streams);
        let connections = Some(parts.connections);
        let several = Several::default();
        let registry = registry((&console, &several), &streams, connections.clone())?;
        let http = HttpMetrics::register(&registry)?;
        let numbers = NodeCollector::new(console.clone(), parts.metrics)?;
        let state = AppState::new(Parts {
            #[cfg(feature = "lab")]
            lab: parts.lab,
            needs: parts.needs,
            ..Parts::of(console, registry, streams, parts.shutdown)
        });
        Ok(Self {
            state,
            admission: Admission::ByProgram(parts.rules),
            http,
            numbers,
            several,
            connections,
            base: Some(parts.base),
        })
    }

    /// Another console of the same program, until `shutdown`: both admit the same requests, and
    /// share streams and the counts of requests. Whoever asks it has stripped its path, and says which.
    /// Who looks at it is noted by `attention`.
    ///
    /// # Errors
    /// As [`of_program`](Self::of_program).
    pub fn beside(
        &self,
        (console, attention): (Console, Arc<Attention>),
        shutdown: CancellationToken,
    ) -> Result<Self, prometheus::Error> {
        let streams = Arc::clone(&self.state.streams);
        let several = Several::default();
        let registry = registry((&console, &several), &streams, self.connections.clone())?;
        let numbers = self.numbers.beside(console.clone());
        registry.register(Box::new(numbers.clone()))?;
        self.http.register_in(&registry)?;
        let state = AppState::new(Parts {
            attention: Some(attention),
            ..Parts::of(console, registry, streams, shutdown)
        });
        Ok(Self {
            state,
            admission: self.admission.clone(),
            http: self.http.clone(),
            numbers,
            several,
            connections: self.connections.clone(),
            base: None,
        })
    }

    /// Within an application, which says who asks.
    pub(crate) fn of_application(
        console: Console,
        parts: ApplicationParts,
    ) -> Result<Self, prometheus::Error> {
        let streams = PeerLimit::new(STREAMS);
        let several = Several::default();
        let registry = registry((&console, &several), &streams, None)?;
        let numbers = NodeCollector::new(console.clone(), NodeMetrics::EachNode)?;
        registry.register(Box::new(numbers.clone()))?;
        let http = HttpMetrics::register(&registry)?;
        let state = AppState::new(Parts {
            application: Some(parts.page),
            access_rechecked_every: Some(parts.access_rechecked_every),
            attention: parts.attention,
            _end: Some(parts.end),
            ..Parts::of(console, registry, streams, parts.shutdown)
        });
        Ok(Self {
            state,
            admission: Admission::ByApplication(parts.rules),
            http,
            numbers,
            several,
            connections: None,
            base: parts.base,
        })
    }

    /// Every path, with those that a program has beside the dashboard.
    pub fn router(&self, more: Vec<MoreRoutes>) -> Router {
        router(self.state.clone(), self.admission.clone(), more)
    }

    /// The paths of `own` and those that several dashboards share, for those whom it admits. Other
    /// parameters of a query than those of an address are refused.
    pub fn front(&self, own: Router, parameters: &'static QueryParameters) -> Router {
        front_router(self.state.clone(), self.admission.clone(), (own, parameters))
    }

    /// What is below a name that no dashboard has. Whoever may look is answered by `own`; anybody else
    /// cannot tell it from a name that one has.
    pub fn below_unknown_service(&self, own: Router) -> Router {
        unknown_service_router(self.state.clone(), self.admission.clone(), own)
    }

    /// Counts the requests of a router and gives each its id.
    pub fn count(&self, router: Router) -> Router {
        observed(router, self.http.clone())
    }

    /// Answers below the path under which browsers find it.
    pub fn below_base(&self, router: Router) -> Router {
        below_base(router, self.base.clone())
    }

    /// Shows the numbers of its own nodes in `/metrics` as well.
    ///
    /// # Errors
    /// Where it does so already.
    pub fn show_own_numbers(&self) -> Result<(), prometheus::Error> {
        self.state.registry.register(Box::new(self.numbers.clone()))
    }

    /// Shows the numbers of several consoles in `/metrics` as well, as there are at each scrape. What
    /// the program does is then what is done in these.
    ///
    /// # Errors
    /// Where it does so already.
    pub fn show_numbers_of(
        &self,
        consoles: impl Fn() -> Vec<LabelledConsole> + Send + Sync + 'static,
    ) -> Result<(), prometheus::Error> {
        if self.several.set(Box::new(consoles)).is_err() {
            return Err(prometheus::Error::AlreadyReg);
        }
        self.state.registry.register(Box::new(ConsolesCollector(Arc::clone(&self.several))))
    }

    /// The numbers of its nodes, to be shown among those of other consoles with these labels beside
    /// their own.
    pub fn labelled(&self, labels: Vec<(&'static str, String)>) -> LabelledConsole {
        LabelledConsole { numbers: self.numbers.clone(), labels }
    }

    /// The files of the pages; `None` where the program was built without them.
    pub fn files(&self) -> Option<PageFiles> {
        self.state.files
    }

    /// Counts the requests of a router and gives each its id, below the path under which browsers find
    /// it.
    pub fn mount_at_base(&self, router: Router) -> Router {
        self.below_base(self.count(router))
    }

    /// What can be asked for, beside pages, files and what a program has of its own.
    pub fn routes(&self) -> Vec<Route> {
        routes(&self.state)
    }

    /// The console.
    pub fn console(&self) -> &Console {
        &self.state.console
    }

    /// How many event streams are open.
    pub fn n_streams(&self) -> usize {
        self.state.streams.n_open()
    }

    /// At a stop: ends the jobs, and then keeps what was done, which is the last that needs Redis.
    pub async fn end(&self) {
        end(self.console()).await;
    }

    /// What ends the event streams.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.state.shutdown
    }
}

/// Waits until begun jobs have ended, or have had their time, and what was done is kept.
pub(crate) async fn end(console: &Console) {
    console.end_jobs(JOBS_MAY_TAKE).await;
    console.flush_audit().await;
}

/// The program's own numbers.
fn registry(
    (console, several): (&Console, &Several),
    streams: &Arc<PeerLimit>,
    connections: Option<Arc<PeerLimit>>,
) -> Result<Registry, prometheus::Error> {
    let registry = Registry::new();
    let program = ProgramCollector::new(
        (console.clone(), Arc::clone(several)),
        connections,
        Arc::clone(streams),
    )?;
    registry.register(Box::new(program))?;
    Ok(registry)
}
