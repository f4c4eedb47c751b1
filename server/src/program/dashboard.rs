use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use prometheus::Registry;
use strata_app::BasePath;
use strata_console::{Console, PeerLimit};
use strata_dashboard::program::{
    AccessRules, AnonymousTurns, AppState, Hosts, HttpMetrics, MoreRoutes, Needs, NodeCollector,
    Parts, ProgramCollector, Proxies, Snapshots, below_base, front_router, observed, page_files,
    router,
};
use strata_lab::Lab;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::log::requests;
use crate::serving::Serving;

/// How long begun jobs may take to end at a stop, and again once they are cancelled.
const JOBS_MAY_TAKE: Duration = Duration::from_secs(3);

/// The dashboard over a console, as every program serves it: its state, its metrics, its limits, and
/// the path that it is under.
#[derive(Clone)]
pub(super) struct Dashboard {
    pub(super) state: AppState,
    rules: AccessRules,
    serving: Arc<Serving>,
    http: HttpMetrics,
    /// `None` where whoever asks says it.
    base: Option<BasePath>,
}

/// What a program has beside its console.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) lab: Option<Arc<Lab>>,
    pub(super) needs: Needs,
}

impl Dashboard {
    /// Over this console, until `shutdown`.
    ///
    /// # Errors
    /// Where two metrics have one name.
    pub(super) fn new(
        console: Console,
        settings: &Settings,
        extras: Extras,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        let dashboard = Self::of_program(console, settings, extras, shutdown)?;
        let numbers = NodeCollector::new(dashboard.state.console.clone())?;
        dashboard.state.registry.register(Box::new(numbers))?;
        Ok(dashboard)
    }

    /// The same with the program's own metrics alone.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn of_program(
        console: Console,
        settings: &Settings,
        extras: Extras,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        let Extras { lab, needs } = extras;
        let limits = &settings.serving;
        let serving = Serving::new(limits.clone(), &settings.trusted_proxies);
        let streams = PeerLimit::new(limits.streams());
        let registry = registry(&console, (&serving, &streams))?;
        let http = HttpMetrics::register(&registry)?;
        let state = AppState::new(Parts {
            console,
            lab,
            registry,
            needs,
            streams,
            snapshots: Snapshots::default(),
            files: page_files(),
            shutdown,
        });
        let (rules, base) = (rules(settings), Some(settings.base_path.clone()));
        Ok(Self { state, rules, serving, http, base })
    }

    /// Another one of the same program, over another console, until `shutdown`: they share
    /// connections, limits and rules. Whoever asks it has stripped its path, and says which.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn beside(
        &self,
        console: Console,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        let (serving, streams) = (Arc::clone(&self.serving), Arc::clone(&self.state.streams));
        let registry = registry(&console, (&serving, &streams))?;
        registry.register(Box::new(NodeCollector::new(console.clone())?))?;
        self.http.register_in(&registry)?;
        let state = AppState::new(Parts {
            console,
            lab: None,
            registry,
            needs: Needs::default(),
            streams,
            snapshots: Snapshots::default(),
            files: self.state.files,
            shutdown,
        });
        let (rules, http) = (self.rules.clone(), self.http.clone());
        Ok(Self { state, rules, serving, http, base: None })
    }

    /// Every path, with those of the program that has it.
    pub(super) fn router(&self, more: Vec<MoreRoutes>) -> Router {
        let router = router(self.state.clone(), self.rules.clone(), more);
        below_base(self.told(router), self.base.clone())
    }

    /// The paths of `own` and those that several dashboards share, behind the same doors, as they
    /// are below the program's path.
    pub(super) fn front(&self, own: Router) -> Router {
        self.told(front_router(self.state.clone(), self.rules.clone(), own))
    }

    /// Answers below the program's path.
    pub(super) fn below_base(&self, router: Router) -> Router {
        below_base(router, self.base.clone())
    }

    /// Logged and counted.
    fn told(&self, router: Router) -> Router {
        observed(router.layer(requests::layer()), self.http.clone())
    }

    /// Answers connections, within the limits of the settings, until the program is told
    /// to stop and begun requests have ended or have had their time.
    pub(super) async fn serve(&self, listener: TcpListener, router: Router) {
        Arc::clone(&self.serving).serve(listener, router, self.state.shutdown.clone()).await;
    }

    /// At a stop: ends the jobs, and then, last of all that needs Redis, keeps what was done.
    pub(super) async fn end_jobs(&self) {
        self.state.console.end_jobs(JOBS_MAY_TAKE).await;
        self.state.console.flush_audit().await;
    }
}

/// The program's own numbers.
fn registry(
    console: &Console,
    (serving, streams): (&Serving, &Arc<PeerLimit>),
) -> anyhow::Result<Registry> {
    let registry = Registry::new();
    let connections = Arc::clone(serving.connections());
    let program = ProgramCollector::new(console.clone(), connections, Arc::clone(streams))?;
    registry.register(Box::new(program))?;
    Ok(registry)
}

/// By which rules the settings admit requests.
fn rules(settings: &Settings) -> AccessRules {
    let public_url = settings.public_url.clone();
    let proxies = Proxies {
        trusted: settings.trusted_proxies.clone().into(),
        user_header: settings.user_header.clone(),
    };
    let hosts = Hosts::new(&settings.allowed_hosts, public_url.as_ref());
    AccessRules { hosts, proxies, public_url, turns: AnonymousTurns::default() }
}
