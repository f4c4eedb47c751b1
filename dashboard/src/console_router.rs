//! A console over HTTP: its state, its metrics, and who decides about requests.

use std::sync::Arc;

use axum::Router;
use prometheus::Registry;
use strata_app::{BasePath, HostPage};
use strata_console::{Console, PeerBounds, PeerLimit};
#[cfg(feature = "lab")]
use strata_lab::Lab;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::access::HostRules;
use crate::assets::page_files;
use crate::http::below_base;
use crate::metrics::{HttpMetrics, NodeCollector, NodeMetrics, ProgramCollector, observed};
use crate::routes::{AccessRules, Doors, MoreRoutes, Route, router, routes};
use crate::state::{AppState, Needs, Parts, Snapshots};

/// A console over HTTP.
pub struct ConsoleRouter {
    state: AppState,
    doors: Doors,
    http: HttpMetrics,
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
pub(crate) struct HostParts {
    pub(crate) rules: HostRules,
    pub(crate) page: HostPage,
    /// Under which path browsers find it, where a proxy keeps a part of it to itself.
    pub(crate) base: Option<BasePath>,
    pub(crate) shutdown: CancellationToken,
    /// Ends the console with its router.
    pub(crate) end: DropGuard,
}

/// Event streams of a dashboard within an application, whose connections are its own.
const STREAMS: PeerBounds = PeerBounds { total: 256, per_peer: 64 };

impl ConsoleRouter {
    /// Of a program of ours, with tokens and sessions.
    ///
    /// # Errors
    /// Where two metrics have one name.
    pub fn of_program(console: Console, parts: OwnParts) -> Result<Self, prometheus::Error> {
        let streams = PeerLimit::new(parts.streams);
        let (registry, http) =
            metrics((&console, parts.metrics), &streams, Some(parts.connections))?;
        let state = AppState::new(Parts {
            console,
            #[cfg(feature = "lab")]
            lab: parts.lab,
            registry,
            needs: parts.needs,
            streams,
            snapshots: Snapshots::default(),
            files: page_files(),
            shutdown: parts.shutdown,
            host: None,
            _end: None,
        });
        Ok(Self { state, doors: Doors::Own(parts.rules), http, base: Some(parts.base) })
    }

    /// Within an application, which says who asks.
    pub(crate) fn of_host(console: Console, parts: HostParts) -> Result<Self, prometheus::Error> {
        let streams = PeerLimit::new(STREAMS);
        let (registry, http) = metrics((&console, NodeMetrics::EachNode), &streams, None)?;
        let state = AppState::new(Parts {
            console,
            #[cfg(feature = "lab")]
            lab: None,
            registry,
            needs: Needs::default(),
            streams,
            snapshots: Snapshots::default(),
            files: page_files(),
            shutdown: parts.shutdown,
            host: Some(parts.page),
            _end: Some(parts.end),
        });
        Ok(Self { state, doors: Doors::OfHost(parts.rules), http, base: parts.base })
    }

    /// Every path, with those that a program has beside the dashboard.
    pub fn router(&self, more: Vec<MoreRoutes>) -> Router {
        router(self.state.clone(), self.doors.clone(), more)
    }

    /// Counts the requests of a router and gives each its id, below the path under which browsers find
    /// it.
    pub fn place(&self, router: Router) -> Router {
        below_base(observed(router, self.http.clone()), self.base.clone())
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

    /// What ends the event streams.
    pub fn shutdown(&self) -> &CancellationToken {
        &self.state.shutdown
    }
}

fn metrics(
    (console, nodes): (&Console, NodeMetrics),
    streams: &Arc<PeerLimit>,
    connections: Option<Arc<PeerLimit>>,
) -> Result<(Registry, HttpMetrics), prometheus::Error> {
    let registry = Registry::new();
    registry.register(Box::new(NodeCollector::new(console.clone(), nodes)?))?;
    let program = ProgramCollector::new(console.clone(), connections, Arc::clone(streams))?;
    registry.register(Box::new(program))?;
    let http = HttpMetrics::register(&registry)?;
    Ok((registry, http))
}
