use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use strata_cache::{FleetClient, Node, RedisAddress};
use strata_console::{Console, ConsoleSettings, RemoteNodes};
use strata_dashboard::program::{Attention, LabelledConsole, WhenIdle};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::super::serve::start_observer;
use super::super::served_console::ServedConsole;
use super::service_id::ServiceId;

/// One service: a console over its nodes, and its dashboard.
pub(super) struct Service {
    pub(super) id: ServiceId,
    pub(super) console: Console,
    pub(super) router: Router,
    dashboard: ServedConsole,
    attention: Arc<Attention>,
    observer: Node,
    fleet: FleetClient,
    last_noted: Mutex<Instant>,
    /// Given back once nobody has the service any more.
    _room: Option<Room>,
}

/// Room for one more service.
pub(super) type Room = OwnedSemaphorePermit;

impl Service {
    /// Starts to watch it, at the pace of one that nobody looks at. Redis may be away.
    pub(super) async fn start(
        id: ServiceId,
        (redis, fleet_key): (&RedisAddress, &str),
        settings: ConsoleSettings,
        (front, end): (&ServedConsole, CancellationToken),
    ) -> anyhow::Result<Self> {
        let (observer, fleet) = start_observer((redis, &id.namespace), fleet_key).await?;
        let nodes = RemoteNodes::new(observer.clone(), fleet.clone());
        let nodes = match &id.redis {
            Some(name) => nodes.in_redis(name),
            None => nodes,
        };
        let console = Console::start_elsewhere(nodes.clone(), settings, end.clone());
        let attention = Attention::new(console.clone(), nodes, WhenIdle::ReadRarely);
        let attention = Arc::new(attention);
        let dashboard = front.beside((console.clone(), Arc::clone(&attention)), end)?;
        let router = dashboard.router(Vec::new());
        let last_noted = Mutex::new(Instant::now());
        Ok(Self {
            id,
            console,
            router,
            dashboard,
            attention,
            observer,
            fleet,
            last_noted,
            _room: None,
        })
    }

    /// The same, which takes up this room.
    pub(super) fn in_room(self, room: Option<Room>) -> Self {
        Self { _room: room, ..self }
    }

    /// Goes on at the pace that it is looked at.
    pub(super) fn keep_pace(&self) {
        self.attention.keep_pace();
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

    /// Why its Redis cannot be reached, while it cannot.
    pub(super) fn trouble(&self) -> Option<String> {
        self.console.glance().fleet.as_ref().filter(|fleet| fleet.unheard_ms.is_some())?;
        let error = self.observer.report().l2.last_error?;
        Some(format!("{}: {}", error.code, error.message))
    }

    /// As Prometheus tells it from others.
    pub(super) fn labelled(&self) -> LabelledConsole {
        let namespace = ("namespace", self.id.namespace.clone());
        let redis = self.id.redis.clone().map(|name| ("redis", name));
        let labels = [Some(namespace), redis].into_iter().flatten().collect();
        self.dashboard.http.labelled(labels)
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
