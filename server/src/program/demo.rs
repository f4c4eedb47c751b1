use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use strata_cache::{ErrorChain, Fleet, FleetClient, Node, RedisAddress, Tasks};
use strata_console::{
    Access, AccessSettings, Console, ConsoleLimits, ConsoleSettings, NodeClient, RemoteNodes,
    SourceReader, TrafficControl,
};
use strata_dashboard::program::{MoreRoutes, Needs, Route};
use strata_demo::{STEADY, Site, Store, Traffic};
use strata_lab::Lab;
use strata_report::TrafficState;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::processes::Processes;
use super::serve::start_observer;
use super::served_console::{Extras, ServedConsole};
use super::source::DemoSource;
use super::traffic::DemoTraffic;
use crate::config::{ConfigError, RedisChoice, Settings, TrafficMode};
use crate::private_redis::PrivateRedis;
use crate::routes::{Sites, demo_routes, lab_routes};

/// Nodes with this namespace and the same Redis share L2 and bus.
pub(super) const NAMESPACE: &str = "strata-demo";
pub(super) const L2_TIMEOUT: Duration = Duration::from_millis(250);

/// Everything that `strata demo` runs, without the listener in front of it.
pub struct Demo {
    served: ServedConsole,
    sites: Arc<Sites>,
    store: Store,
    lab: Arc<Lab>,
    nodes: Vec<Node>,
    /// Where the nodes are processes of their own: the way to them.
    fleet: Option<(Node, FleetClient)>,
    processes: Option<Processes>,
    redis: Option<PrivateRedis>,
    tasks: Tasks,
}

impl Demo {
    /// Starts Redis, nodes, database, console and traffic, for requests that reach `listening`.
    /// Cancelling `shutdown` ends traffic and event streams; then call [`Demo::stop`].
    ///
    /// # Errors
    /// Where the database or a node cannot be had. A missing Redis is no error.
    pub async fn start(
        settings: &Settings,
        listening: SocketAddr,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        Self::start_among(&Tasks::new(shutdown), settings, listening).await
    }

    /// The same among the tasks of a program, whose end is theirs.
    pub(crate) async fn start_among(
        tasks: &Tasks,
        settings: &Settings,
        listening: SocketAddr,
    ) -> anyhow::Result<Self> {
        let redis = private_redis(&settings.redis, tasks).await;
        let url = match &settings.redis {
            RedisChoice::Url(url) => Some(url.clone()),
            RedisChoice::Private | RedisChoice::Off => redis.as_ref().map(PrivateRedis::url),
        };
        let store = store(settings).await?;
        let address = address(settings, redis.as_ref())?;
        let processes = processes(settings, (url.as_deref(), address.as_ref()))?;
        let nodes = match &processes {
            Some(processes) => vec![unseen_node(&processes.address).await?],
            None => nodes(settings.nodes, address.as_ref()).await?,
        };
        let build = |node: &Node| Site::new(node.clone(), store.clone());
        let sites = nodes.iter().map(build).collect::<Result<Vec<_>, _>>()?;
        let clients =
            nodes.iter().map(|node| Arc::new(node.clone()) as Arc<dyn NodeClient>).collect();
        // Processes have their own traffic, and load keys anew themselves.
        let is_here = processes.is_none();
        let source = sites.first().cloned().map(DemoSource::new).filter(|_| is_here);
        let traffic = is_here.then(|| DemoTraffic(traffic(settings, &sites, tasks)));
        let console_settings = ConsoleSettings {
            access: Arc::new(access(settings, listening)),
            limits: ConsoleLimits::default(),
            protected: settings.protected.clone(),
            sources: source
                .into_iter()
                .map(|source| Arc::new(source) as Arc<dyn SourceReader>)
                .collect(),
            traffic: traffic.map(|traffic| Arc::new(traffic) as Arc<dyn TrafficControl>),
            redis_is_private: redis.is_some(),
            tasks: Some(tasks.clone()),
            expected: Vec::new(),
            expected_once_heard: Vec::new(),
        };
        tell_access(&console_settings.access, listening);
        let (console, fleet) =
            start_console(clients, console_settings, processes.as_ref(), tasks).await?;
        let lab = lab(settings, url.as_deref(), &console);
        let lab = Arc::new(match address {
            Some(address) => lab.redis(address),
            None => lab,
        });
        let needs = needs(&store, redis.as_ref());
        let extras = Extras { lab: Some(Arc::clone(&lab)), needs };
        let served = ServedConsole::new(console, settings, extras, tasks.shutdown().clone())?;
        served.http.show_own_numbers()?;
        let sites = Arc::new(Sites::new(sites).context("there is no node")?);
        let tasks = tasks.clone();
        Ok(Self { served, sites, store, lab, nodes, fleet, processes, redis, tasks })
    }

    /// Every path of the program.
    pub fn router(&self) -> Router {
        self.served.router(self.more_routes())
    }

    /// What the program can be asked for, beside its pages and files.
    pub fn routes(&self) -> Vec<Route> {
        let more = self.more_routes().into_iter().flat_map(|more| more.routes);
        self.served.http.routes().into_iter().chain(more).collect()
    }

    /// What there is beside the dashboard.
    fn more_routes(&self) -> Vec<MoreRoutes> {
        let console = self.served.http.console();
        let demo = demo_routes(console, Arc::clone(&self.sites));
        vec![demo, lab_routes(console, Arc::clone(&self.lab))]
    }

    /// Answers connections, within the limits of the settings, until the program is told
    /// to stop and begun requests have ended or have had their time.
    pub async fn serve(&self, listener: TcpListener) {
        self.served.serve(listener, self.router()).await;
    }

    /// How many event streams are open.
    pub fn n_streams(&self) -> usize {
        self.served.http.n_streams()
    }

    /// One running copy of the demo service.
    pub(crate) fn site(&self) -> &Site {
        self.sites.next()
    }

    /// The background tasks of the program; the nodes have their own.
    pub fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// The process id of the private Redis; `None` while there is none.
    pub fn redis_pid(&self) -> Option<u32> {
        self.redis.as_ref().and_then(PrivateRedis::pid)
    }

    /// Ends what [`Demo::start`] started, in the order in which one part needs the other.
    pub async fn stop(self) {
        self.served.http.shutdown().cancel();
        self.lab.shutdown().await;
        self.served.http.end().await;
        // Consoles elsewhere are told that they leave.
        let ends = self.nodes.iter().map(|node| node.shutdown().into_future());
        futures::future::join_all(ends).await;
        if let Some((observer, fleet)) = self.fleet {
            fleet.close().await;
            observer.shutdown().await;
        }
        // They say in Redis that they leave.
        if let Some(processes) = self.processes {
            processes.stop().await;
        }
        self.store.close().await;
        if let Some(redis) = self.redis {
            redis.stop().await;
        }
    }
}

async fn private_redis(choice: &RedisChoice, tasks: &Tasks) -> Option<PrivateRedis> {
    if *choice != RedisChoice::Private {
        return None;
    }
    match PrivateRedis::start_among(tasks).await {
        Ok(redis) => Some(redis),
        Err(error) => {
            warn!("going on with L1 alone: failed to {}", ErrorChain(&error));
            None
        }
    }
}

async fn store(settings: &Settings) -> anyhow::Result<Store> {
    let store = Store::open(settings.database_url.as_deref(), &settings.data_dir)
        .await
        .map_err(|error| anyhow::anyhow!("failed to {}", ErrorChain(&error)))?;
    info!(n_users = settings.n_users, "opening the database; what is missing is seeded");
    let seeding = store
        .seed(settings.n_users)
        .await
        .map_err(|error| anyhow::anyhow!("failed to {}", ErrorChain(&error)))?;
    info!(
        users_added = seeding.n_users,
        posts_added = seeding.n_posts,
        took_ms = seeding.took.as_millis() as u64,
        "the database is ready"
    );
    Ok(store)
}

/// Where Redis is, and how to log in there. A private one asks for no login.
fn address(
    settings: &Settings,
    private: Option<&PrivateRedis>,
) -> anyhow::Result<Option<RedisAddress>> {
    let address = match private {
        Some(private) => RedisAddress::parse(&private.url()).map(Some),
        None => return settings.redis_login.of(&settings.redis).map_err(failed),
    };
    address.map_err(|error| anyhow::anyhow!("failed to {}", ErrorChain(&error)))
}

fn failed(error: ConfigError) -> anyhow::Error {
    anyhow::anyhow!("failed to {error}")
}

async fn nodes(n_nodes: u32, redis: Option<&RedisAddress>) -> anyhow::Result<Vec<Node>> {
    let mut nodes = Vec::new();
    for id in 1..=n_nodes {
        let builder = Node::builder(NAMESPACE)
            .id(&id.to_string())
            .app("strata demo", env!("CARGO_PKG_VERSION"));
        let builder = match redis {
            // Database, traffic and browser share the machine with Redis, which so pauses now and
            // then for longer than on a machine of its own.
            Some(address) => builder.redis(address.clone()).l2_timeout(L2_TIMEOUT),
            None => builder,
        };
        nodes.push(
            builder
                .start()
                .await
                .map_err(|error| anyhow::anyhow!("failed to {}", ErrorChain(&error)))?,
        );
    }
    Ok(nodes)
}

/// The processes of the nodes, where they are to be processes.
fn processes(
    settings: &Settings,
    (url, address): (Option<&str>, Option<&RedisAddress>),
) -> anyhow::Result<Option<Processes>> {
    let Some(n_processes) = settings.processes else { return Ok(None) };
    let redis = url.zip(address).context("nodes as processes of their own need a Redis")?;
    Ok(Some(Processes::new(settings, n_processes, redis)))
}

/// A node for the demo's own paths, which no console sees.
async fn unseen_node(redis: &RedisAddress) -> anyhow::Result<Node> {
    let builder = Node::builder(NAMESPACE).l2_timeout(L2_TIMEOUT).fleet(Fleet::off());
    let started = builder.redis(redis.clone()).start().await;
    started.map_err(|error| anyhow::anyhow!("failed to {}", ErrorChain(&error)))
}

fn needs(store: &Store, redis: Option<&PrivateRedis>) -> Needs {
    let store = store.clone();
    Needs {
        database: Some(Arc::new(move || {
            let store = store.clone();
            Box::pin(async move { store.ping().await.is_ok() })
        })),
        redis_pid: redis.map(PrivateRedis::watch_pid),
    }
}

/// The console over the nodes of this program, or over those of its processes and what it sees them by.
async fn start_console(
    nodes: Vec<Arc<dyn NodeClient>>,
    settings: ConsoleSettings,
    processes: Option<&Processes>,
    tasks: &Tasks,
) -> anyhow::Result<(Console, Option<(Node, FleetClient)>)> {
    let shutdown = tasks.shutdown().clone();
    let Some(processes) = processes else {
        return Ok((Console::start(nodes, settings, shutdown), None));
    };
    processes.start(tasks);
    let key = processes.fleet_key.reveal();
    let looking = start_observer((&processes.address, NAMESPACE), key).await?;
    let seen = RemoteNodes::new(looking.0.clone(), looking.1.clone());
    Ok((Console::start_elsewhere(seen, settings, shutdown), Some(looking)))
}

/// Logs at the start who may act, where no token is set.
fn tell_access(access: &Access, listening: SocketAddr) {
    if access.has_tokens() {
        return;
    }
    if listening.ip().is_loopback() {
        info!(
            "no token is set: requests straight from this machine may act; set \
             --operator-token before a proxy stands before Strata"
        );
    } else {
        warn!("other machines can reach Strata and no token is set: nothing can be changed");
    }
}

fn access(settings: &Settings, listening: SocketAddr) -> Access {
    Access::new(AccessSettings {
        operators: settings.operators.clone(),
        viewers: settings.viewers.clone(),
        read_only: settings.read_only,
        open_values: settings.open_values,
        loopback: listening.ip().is_loopback(),
        acting_needs_token: false,
        told_by_application: None,
    })
}

fn lab(settings: &Settings, redis_url: Option<&str>, console: &Console) -> Lab {
    let host = console.clone();
    // What runs in the lab is seen on the dashboard as long as it runs.
    let lab = Lab::new(redis_url)
        .on_node(Arc::new(move |node| Box::new(host.attach(Arc::new(node.clone())))));
    match &settings.trace {
        Some(file) => lab.trace(file.clone()),
        None => lab,
    }
}

fn traffic(settings: &Settings, sites: &[Site], tasks: &Tasks) -> Traffic {
    // A rate that was given for a trace says nothing about the traffic beside it.
    let rate_per_s = match settings.trace {
        Some(_) => STEADY.rate_per_s,
        None => settings.rate_per_s.unwrap_or(STEADY.rate_per_s),
    };
    let running = settings.traffic == TrafficMode::Steady;
    let state = TrafficState { running, rate_per_s, ..STEADY };
    Traffic::start(sites.to_vec(), state, settings.n_users, tasks)
}
