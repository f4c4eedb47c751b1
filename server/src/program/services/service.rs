use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use strata_cache::{FleetClient, Node, RedisAddress};
use strata_console::{Console, ConsoleSettings, Pace, RemoteNodes};
use strata_dashboard::program::LabelledConsole;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::serve::looking_on;
use super::super::served_console::ServedConsole;
use super::service_id::ServiceId;

/// So long after the last request for it, nobody looks at a service any more.
const LOOKED_AT_FOR: Duration = Duration::from_secs(30);

/// One service: a console over its nodes, and its dashboard.
pub(super) struct Service {
    pub(super) id: ServiceId,
    pub(super) console: Console,
    pub(super) router: Router,
    dashboard: ServedConsole,
    nodes: RemoteNodes,
    observer: Node,
    fleet: FleetClient,
    last_look: Mutex<Option<Instant>>,
    last_noted: Mutex<Instant>,
}

impl Service {
    /// Starts to watch it, at the pace of one that nobody looks at. Redis may be away.
    pub(super) async fn start(
        id: ServiceId,
        (redis, fleet_key): (&RedisAddress, &str),
        settings: ConsoleSettings,
        (front, end): (&ServedConsole, CancellationToken),
    ) -> anyhow::Result<Self> {
        let (observer, fleet) = looking_on((redis, &id.namespace), fleet_key).await?;
        let nodes = RemoteNodes::new(observer.clone(), fleet.clone());
        let nodes = match &id.redis {
            Some(name) => nodes.in_redis(name),
            None => nodes,
        };
        nodes.set_pace(Pace::Unwatched);
        let console = Console::start_elsewhere(nodes.clone(), settings, end.clone());
        let dashboard = front.beside(console.clone(), end)?;
        let router = dashboard.router(Vec::new());
        let (last_look, last_noted) = (Mutex::default(), Mutex::new(Instant::now()));
        Ok(Self { id, console, router, dashboard, nodes, observer, fleet, last_look, last_noted })
    }

    /// Somebody looks at it now.
    pub(super) fn look(&self) {
        let mut last = self.last_look.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some(Instant::now());
        drop(last);
        self.nodes.set_pace(Pace::Watched);
    }

    /// Goes on at the pace that it is looked at.
    pub(super) fn keep_pace(&self) {
        let last = *self.last_look.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = last.is_some_and(|last| last.elapsed() < LOOKED_AT_FOR);
        let is_watched = is_recent || self.console.is_followed();
        self.nodes.set_pace(if is_watched { Pace::Watched } else { Pace::Unwatched });
    }

    /// A node of it has announced it a short while ago.
    pub(super) fn note(&self) {
        *self.last_noted.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether nothing was heard of it for so long, and none of its nodes is known any more.
    pub(super) fn is_forgotten_after(&self, silence: Duration) -> bool {
        let noted = *self.last_noted.lock().unwrap_or_else(PoisonError::into_inner);
        let fleet = self.console.glance().fleet.clone().unwrap_or_default();
        noted.elapsed() >= silence && fleet.unheard_ms.is_none() && fleet.of == 0
    }

    /// As Prometheus tells it from others.
    pub(super) fn labelled(&self) -> LabelledConsole {
        let namespace = ("namespace", self.id.namespace.clone());
        let redis = self.id.redis.clone().map(|name| ("redis", name));
        let labels = [Some(namespace), redis].into_iter().flatten().collect();
        LabelledConsole { console: self.console.clone(), labels }
    }

    /// Ends what watches it. Its nodes go on.
    pub(super) async fn stop(&self) {
        self.dashboard.http.shutdown().cancel();
        self.dashboard.http.end().await;
        // The nodes report no more than others want.
        self.fleet.clone().close().await;
        self.observer.clone().shutdown().await;
    }
}
