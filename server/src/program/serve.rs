use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use strata_cache::{ErrorChain, FleetClient, Node, RedisAddress, Tasks};
use strata_console::{Access, AccessSettings, Console, ConsoleSettings, RemoteNodes};
use strata_dashboard::program::{Route, below_base};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::announced::announced_namespace;
use super::run::announce;
use super::served_console::{Extras, ServedConsole, rules};
use super::signals::on_signal;
use super::waiting;
use crate::config::{Secret, ServeSettings};
use crate::serving::Serving;

/// What the dashboard does on Redis may take longer than a read of a service.
const L2_TIMEOUT: Duration = Duration::from_secs(1);

/// A name in which nothing is kept: from there namespaces are looked for.
const LOOKING_FROM: &str = "strata-serve";

/// Everything that `strata serve` runs, without the listener in front of it: the dashboard over the
/// nodes of one namespace, wherever they run.
pub struct Serve {
    served: ServedConsole,
    observer: Node,
    fleet: FleetClient,
}

impl Serve {
    /// Starts the console over a namespace's nodes, for requests that reach `listening`. Redis may
    /// be away: the dashboard says so until it is there.
    ///
    /// # Errors
    /// Where the address of Redis or a setting makes no sense.
    pub async fn start(
        settings: &ServeSettings,
        (namespace, listening): (&str, SocketAddr),
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        Self::start_among(&Tasks::new(shutdown), settings, (namespace, listening)).await
    }

    /// The same among the tasks of a program, whose end is theirs.
    pub(crate) async fn start_among(
        tasks: &Tasks,
        settings: &ServeSettings,
        (namespace, listening): (&str, SocketAddr),
    ) -> anyhow::Result<Self> {
        let (observer, fleet) = looking_on((&settings.redis, namespace), key(settings)).await?;
        let common = &settings.common;
        let access = access(settings);
        tell_access(&access, listening);
        let console_settings = ConsoleSettings {
            protected: common.protected.clone(),
            expected: settings.expected.clone(),
            tasks: Some(tasks.clone()),
            ..access.into()
        };
        let nodes = RemoteNodes::new(observer.clone(), fleet.clone());
        let shutdown = tasks.shutdown().clone();
        let console = Console::start_elsewhere(nodes, console_settings, shutdown.clone());
        let served = ServedConsole::new(console, common, Extras::default(), shutdown)?;
        Ok(Self { served, observer, fleet })
    }

    /// Every path of the program.
    pub fn router(&self) -> Router {
        self.served.router(Vec::new())
    }

    /// What the program can be asked for, beside its pages and files.
    pub fn routes(&self) -> Vec<Route> {
        self.served.http.routes()
    }

    /// Answers connections, within the limits of the settings, until the program is told
    /// to stop and begun requests have ended or have had their time.
    pub async fn serve(&self, listener: TcpListener) {
        self.served.serve(listener, self.router()).await;
    }

    /// Ends what [`Serve::start`] started. The services' nodes go on.
    pub async fn stop(self) {
        self.served.http.shutdown().cancel();
        self.served.end_jobs().await;
        // The nodes report no more than others want.
        self.fleet.close().await;
        self.observer.shutdown().await;
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
    let starting = async {
        let (namespace, listener) = match &settings.namespace {
            Some(namespace) => (namespace.clone(), listener),
            None => wait_for_service(&tasks, &settings, listener).await?,
        };
        let serve = Serve::start_among(&tasks, &settings, (&namespace, listening)).await?;
        anyhow::Ok((serve, listener))
    };
    let Some(started) = shutdown.run_until_cancelled(starting).await else { return Ok(()) };
    let (serve, listener) = started?;
    serve.serve(listener).await;
    serve.stop().await;
    Ok(())
}

/// Answers on the listener that it waits, until a service has announced itself. Whoever connects
/// meanwhile hears why, unless looking takes a token.
async fn wait_for_service(
    tasks: &Tasks,
    settings: &ServeSettings,
    listener: TcpListener,
) -> anyhow::Result<(String, TcpListener)> {
    let (observer, fleet) = looking_on((&settings.redis, LOOKING_FROM), key(settings)).await?;
    let listener = listener.into_std()?;
    let common = &settings.common;
    let (sender, because) = watch::channel("Redis has not answered yet".to_owned());
    let because = Some(because).filter(|_| common.viewers.is_empty());
    let router = waiting::router(because, rules(common).hosts);
    let router = below_base(router, Some(common.base_path.clone()));
    let (found, answered) = (CancellationToken::new(), CancellationToken::new());
    let meanwhile = Meanwhile {
        listener: listener.try_clone()?.into(),
        serving: Serving::new(common.serving.clone(), &common.trusted_proxies),
        router,
        found: found.clone(),
    };
    let end = answered.clone();
    tasks.spawn_until_done("waiting page", move || {
        let (meanwhile, end) = (meanwhile.clone(), end.clone());
        async move {
            meanwhile.answer().await;
            end.cancel();
        }
    });
    let namespace = announced_namespace(&fleet, &sender).await;
    fleet.close().await;
    observer.shutdown().await;
    found.cancel();
    answered.cancelled().await;
    Ok((namespace, TcpListener::from_std(listener)?))
}

/// What answers until a service is found.
#[derive(Clone)]
struct Meanwhile {
    listener: Arc<std::net::TcpListener>,
    serving: Arc<Serving>,
    router: Router,
    found: CancellationToken,
}

impl Meanwhile {
    async fn answer(self) {
        match self.listener.try_clone().and_then(TcpListener::from_std) {
            Ok(listener) => self.serving.serve(listener, self.router, self.found).await,
            Err(error) => warn!("nothing answers until a service is found: failed to {error}"),
        }
    }
}

/// A node that only looks on, and the console's end of the fleet; without a key where it is empty.
pub(super) async fn looking_on(
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

/// The variable of the environment has been read with the other options.
fn key(settings: &ServeSettings) -> &str {
    settings.fleet_key.as_ref().map_or("", Secret::reveal)
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
        told_by_host: None,
    })
}

fn tell_access(access: &Access, listening: SocketAddr) {
    if access.has_tokens() {
        return;
    }
    let open = if listening.ip().is_loopback() { "" } else { ", and other machines can reach it" };
    info!("no token is set{open}: everybody may look and nobody may act; see --operator-token");
}
