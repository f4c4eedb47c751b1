use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use strata_cache::{ErrorChain, FleetClient, Node, RedisAddress, Tasks};
use strata_console::{Access, AccessSettings, Console, ConsoleSettings};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use super::run::announce;
use super::served_console::{Extras, ServedConsole};
use super::services::{self, Services};
use super::signals::on_signal;
use crate::config::ServeSettings;

/// What the dashboard does on Redis may take longer than a read of a service.
const L2_TIMEOUT: Duration = Duration::from_secs(1);

/// Everything that `strata serve` runs, without the listener in front of it: a list of services, and
/// a dashboard over the nodes of each, wherever they run.
pub struct Serve {
    front: ServedConsole,
    services: Arc<Services>,
}

impl Serve {
    /// Starts to look for services, for requests that reach `listening`. Redis may be away: the
    /// pages say so until it is there. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// Where the address of a Redis or a setting makes no sense.
    pub fn start(
        settings: &ServeSettings,
        listening: SocketAddr,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        Self::start_among(&Tasks::new(shutdown), settings, listening)
    }

    /// The same among the tasks of a program, whose end is theirs.
    pub(crate) fn start_among(
        tasks: &Tasks,
        settings: &ServeSettings,
        listening: SocketAddr,
    ) -> anyhow::Result<Self> {
        let access = Arc::new(access(settings));
        tell_access(&access, listening);
        let of_program =
            ConsoleSettings { tasks: Some(tasks.clone()), ..Arc::clone(&access).into() };
        let shutdown = tasks.shutdown().clone();
        // It has no nodes: it stands for the program, which people log in to.
        let console = Console::start(Vec::new(), of_program, shutdown.clone());
        let common = &settings.common;
        let front = ServedConsole::new(console, common, Extras::default(), shutdown)?;
        let services = Services::start(settings.clone(), access, (front.clone(), tasks.clone()))?;
        let all = Arc::downgrade(&services);
        let numbers = move || all.upgrade().map(|all| all.labelled()).unwrap_or_default();
        front.http.show_numbers_of(numbers)?;
        Ok(Self { front, services })
    }

    /// Every path of the program.
    pub fn router(&self) -> Router {
        services::router(Arc::clone(&self.services))
    }

    /// Answers connections, within the limits of the settings, until the program is told
    /// to stop and begun requests have ended or have had their time.
    pub async fn serve(&self, listener: TcpListener) {
        self.front.serve(listener, self.router()).await;
    }

    /// Ends what [`Serve::start`] started. The services' nodes go on.
    pub async fn stop(self) {
        self.front.http.shutdown().cancel();
        self.front.http.end().await;
        self.services.stop().await;
    }
}

/// Runs `strata serve` until a signal.
///
/// # Errors
/// Where something that it needs cannot be had. A missing Redis is no error.
pub async fn run_serve(settings: ServeSettings) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    let tasks = Tasks::new(shutdown.clone());
    let _signals = on_signal(&tasks, settings.common.serving.stop_timeout)
        .context("failed to listen for signals")?;
    let listen = settings.common.listen;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("failed to listen on {listen}"))?;
    let listening = listener.local_addr()?;
    announce(&format!("Strata is at http://{listening}{}", settings.common.base_path));
    let serve = Serve::start_among(&tasks, &settings, listening)?;
    serve.serve(listener).await;
    serve.stop().await;
    Ok(())
}

/// A node that only looks on, and the console's end of the fleet; without a key where it is empty.
pub(super) async fn start_observer(
    (redis, namespace): (&RedisAddress, &str),
    key: &str,
) -> anyhow::Result<(Node, FleetClient)> {
    let builder = Node::builder(namespace)
        .version(env!("CARGO_PKG_VERSION"))
        .redis(redis.clone())
        .l2_timeout(L2_TIMEOUT)
        .observer();
    let started = builder.start().await;
    let observer = started.map_err(|error| anyhow::anyhow!("failed to {}", ErrorChain(&error)))?;
    let fleet = observer.fleet_client().key(key).start().context("there is no Redis")?;
    Ok((observer, fleet))
}

/// Nobody acts by accident of where a request comes from: without a token everybody only looks.
fn access(settings: &ServeSettings) -> Access {
    let common = &settings.common;
    Access::new(AccessSettings {
        operators: common.operators.clone(),
        viewers: common.viewers.clone(),
        read_only: common.read_only,
        open_values: common.open_values,
        loopback: false,
        acting_needs_token: true,
        told_by_application: None,
    })
}

fn tell_access(access: &Access, listening: SocketAddr) {
    if access.has_tokens() {
        return;
    }
    let open = if listening.ip().is_loopback() { "" } else { ", and other machines can reach it" };
    info!("no token is set{open}: everybody may look and nobody may act; see --operator-token");
}
