use std::sync::Arc;

use axum::Router;
use strata_console::Console;
use strata_dashboard::program::{
    AccessRules, AnonymousTurns, Attention, ConsoleRouter, Hosts, MoreRoutes, Needs, NodeMetrics,
    OwnParts, Proxies, QueryParameters,
};
use strata_lab::Lab;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::log::requests;
use crate::serving::Serving;

/// A console as every program of ours serves it: over HTTP, and with connections and limits of its own.
#[derive(Clone)]
pub(super) struct ServedConsole {
    pub(super) http: ConsoleRouter,
    serving: Arc<Serving>,
}

/// What a program has beside its console.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) lab: Option<Arc<Lab>>,
    pub(super) needs: Needs,
}

impl ServedConsole {
    /// This console, until `shutdown`. The numbers of its nodes are not in `/metrics` yet.
    ///
    /// # Errors
    /// Where two metrics have one name.
    pub(super) fn new(
        console: Console,
        settings: &Settings,
        extras: Extras,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        let (serving, parts) = parts(settings, extras, shutdown);
        Ok(Self { http: ConsoleRouter::of_program(console, parts)?, serving })
    }

    /// Another console of the same program, until `shutdown`: they share connections and limits.
    /// Whoever asks it has stripped its path, and says which.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(super) fn beside(
        &self,
        console: (Console, Arc<Attention>),
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        let http = self.http.beside(console, shutdown)?;
        Ok(Self { http, serving: Arc::clone(&self.serving) })
    }

    /// The paths of `own` and those that several dashboards share, as they are below the program's
    /// path. The addresses of `own` have these parameters.
    pub(super) fn front(&self, own: Router, parameters: &'static QueryParameters) -> Router {
        self.http.count(self.http.front(own, parameters).layer(requests::layer()))
    }

    /// What is below a name that no dashboard has: `own` for whoever may look.
    pub(super) fn below_unknown_service(&self, own: Router) -> Router {
        self.http.mount_at_base(self.http.below_unknown_service(own).layer(requests::layer()))
    }

    /// Every path, with those of the program that has it.
    pub(super) fn router(&self, more: Vec<MoreRoutes>) -> Router {
        self.http.mount_at_base(self.http.router(more).layer(requests::layer()))
    }

    /// Answers connections, within the limits of the settings, until the program is told
    /// to stop and begun requests have ended or have had their time.
    pub(super) async fn serve(&self, listener: TcpListener, router: Router) {
        let shutdown = self.http.shutdown().clone();
        Arc::clone(&self.serving).serve(listener, router, shutdown).await;
    }
}

/// The connections of a program, and what its console is served with.
fn parts(
    settings: &Settings,
    extras: Extras,
    shutdown: CancellationToken,
) -> (Arc<Serving>, OwnParts) {
    let Extras { lab, needs } = extras;
    let limits = &settings.serving;
    let serving = Serving::new(limits.clone(), &settings.trusted_proxies);
    let parts = OwnParts {
        rules: rules(settings),
        streams: limits.streams(),
        connections: Arc::clone(serving.connections()),
        needs,
        metrics: if settings.metrics_per_node {
            NodeMetrics::EachNode
        } else {
            NodeMetrics::ByCache
        },
        lab,
        base: settings.base_path.clone(),
        shutdown,
    };
    (serving, parts)
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
