use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use prometheus::Registry;
use strata_app::BasePath;
use strata_console::{Console, PeerLimit};
use strata_dashboard::program::{
    AccessRules, AppState, Hosts, HttpMetrics, MoreRoutes, Needs, NodeCollector, Parts,
    ProgramCollector, Proxies, Snapshots, below_base, observed, page_files, router,
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
pub(super) struct Dashboard {
    pub(super) state: AppState,
    rules: AccessRules,
    serving: Arc<Serving>,
    http: HttpMetrics,
    base: BasePath,
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
        let Extras { lab, needs } = extras;
        let registry = Registry::new();
        registry.register(Box::new(NodeCollector::new(console.clone())?))?;
        let limits = &settings.serving;
        let serving = Serving::new(limits.clone(), &settings.trusted_proxies);
        let streams = PeerLimit::new(limits.streams());
        let connections = Arc::clone(serving.connections());
        let program = ProgramCollector::new(console.clone(), connections, Arc::clone(&streams))?;
        registry.register(Box::new(program))?;
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
        let (rules, base) = (rules(settings), settings.base_path.clone());
        Ok(Self { state, rules, serving, http, base })
    }

    /// Every path, with those of the program that has it.
    pub(super) fn router(&self, more: Vec<MoreRoutes>) -> Router {
        let router = router(self.state.clone(), self.rules.clone(), more).layer(requests::layer());
        below_base(observed(router, self.http.clone()), Some(self.base.clone()))
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

/// By which rules the settings admit requests.
pub(super) fn rules(settings: &Settings) -> AccessRules {
    let public_url = settings.public_url.clone();
    let proxies = Proxies {
        trusted: settings.trusted_proxies.clone().into(),
        user_header: settings.user_header.clone(),
    };
    let hosts = Hosts::new(&settings.allowed_hosts, public_url.as_ref());
    AccessRules { hosts, proxies, public_url }
}
