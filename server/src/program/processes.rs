//! The demo's nodes as processes of their own, seen through the fleet.

use std::collections::hash_map::RandomState;
use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::future::join_all;
use strata_cache::{ErrorChain, Fleet, Node, RedisAddress, Tasks};
use strata_demo::{CacheKey, STEADY, Site, Store, Traffic};
use strata_report::TrafficState;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::demo::{L2_TIMEOUT, NAMESPACE};
use super::signals::on_signal;
use crate::config::{DemoNodeFlags, RedisLogin, Secret, Settings, TrafficMode};

/// How long after its end a process is started again: until then it is seen to be late and lost.
const STARTED_AGAIN: Duration = Duration::from_secs(20);

/// How long the end of a process may take.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

/// What the processes of a demo share.
#[derive(Clone)]
pub(super) struct Processes {
    pub(super) address: RedisAddress,
    redis_url: String,
    redis_login: RedisLogin,
    pub(super) fleet_key: Secret,
    database_url: Option<String>,
    data_dir: PathBuf,
    n_users: u64,
    traffic: TrafficMode,
    rate_per_s: u32,
    /// By number. Each is locked by whoever watches its end.
    running: Arc<[Mutex<Option<Child>>]>,
}

impl Processes {
    /// Of these settings; they share the traffic.
    pub(super) fn new(settings: &Settings, n_processes: u32, redis: (&str, &RedisAddress)) -> Self {
        let rate = settings.rate_per_s.unwrap_or(STEADY.rate_per_s);
        Self {
            address: redis.1.clone(),
            redis_url: redis.0.to_owned(),
            redis_login: settings.redis_login.clone(),
            fleet_key: settings.fleet_key.clone().unwrap_or_else(random_key),
            database_url: settings.database_url.clone(),
            data_dir: settings.data_dir.clone(),
            n_users: settings.n_users,
            traffic: settings.traffic,
            rate_per_s: (rate / n_processes.max(1)).max(1),
            running: (0..n_processes).map(|_| Mutex::default()).collect(),
        }
    }

    /// Starts them, and each again a while after it has ended, until the program stops.
    pub(super) fn start(&self, tasks: &Tasks) {
        for place in 0..self.running.len() {
            let processes = self.clone();
            tasks.spawn("node process", move || {
                let processes = processes.clone();
                async move { processes.keep(place).await }
            });
        }
    }

    /// Ends them, once the tasks that watch them have been told to end.
    pub(super) async fn stop(&self) {
        let ends = self.running.iter().map(|running| async {
            let Some(mut child) = running.lock().await.take() else { return };
            // Its standard input is closed, which ends it. With the child goes what has not ended.
            if timeout(STOPS_WITHIN, child.wait()).await.is_err() {
                let within_s = STOPS_WITHIN.as_secs();
                warn!(pid = child.id(), within_s, "killing the process of a node: it does not end");
            }
        });
        join_all(ends).await;
    }

    async fn keep(&self, place: usize) {
        let id = place + 1;
        let Some(running) = self.running.get(place) else { return };
        loop {
            let mut running = running.lock().await;
            match self.spawn(id) {
                Ok(child) => watch(id, running.insert(child)).await,
                Err(error) => warn!(node = id, "failed to start its process: {error}"),
            }
            drop(running);
            tokio::time::sleep(STARTED_AGAIN).await;
        }
    }

    /// The end of its standard input ends the process, however this program ends.
    fn spawn(&self, id: usize) -> anyhow::Result<Child> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["demo-node", "--id", &id.to_string(), "--users", &self.n_users.to_string()]);
        command.args(["--rate", &self.rate_per_s.to_string()]);
        command.arg("--data-dir").arg(&self.data_dir);
        if let Some(url) = &self.database_url {
            command.args(["--database-url", url]);
        }
        if self.traffic == TrafficMode::Steady {
            command.arg("--with-traffic");
        }
        // What this program was told of itself says nothing about them.
        for (name, _) in env::vars_os().filter(|(name, _)| is_option(name)) {
            command.env_remove(name);
        }
        command.env("STRATA_REDIS_URL", &self.redis_url);
        command.envs(self.redis_login.variables());
        command.env("STRATA_FLEET_KEY", self.fleet_key.reveal());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).kill_on_drop(true);
        Ok(command.spawn()?)
    }
}

/// Waits for its end, and keeps its standard input open until then.
async fn watch(id: usize, child: &mut Child) {
    // Taken, because the wait would close it.
    let _stdin = child.stdin.take();
    let pid = child.id();
    info!(node = id, pid, "started the process of a node");
    let how = child.wait().await.map_or_else(|error| error.to_string(), |how| how.to_string());
    let again_s = STARTED_AGAIN.as_secs();
    warn!(node = id, pid, how, again_s, "the process of a node has ended");
}

/// That nobody guesses: each hasher has random keys of its own.
fn random_key() -> Secret {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random()).as_str().into()
}

fn is_option(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("STRATA_") && !name.starts_with("STRATA_LOG")
}

/// Runs one node of the demo until its standard input ends, or a signal.
///
/// # Errors
/// Where the database or the node cannot be had.
pub async fn run_demo_node(flags: DemoNodeFlags) -> anyhow::Result<()> {
    let shutdown = CancellationToken::new();
    let tasks = Tasks::new(shutdown.clone());
    let _signals = on_signal(&tasks, STOPS_WITHIN).context("failed to listen for signals")?;
    end_with_stdin(shutdown.clone());
    let redis = flags.redis.address()?.context("a node of its own needs a Redis")?;
    let store = Store::open(flags.database_url.as_deref(), &flags.data_dir).await;
    let store = store.map_err(|error| failed(&error))?;
    let builder = Node::builder(flags.namespace.as_deref().unwrap_or(NAMESPACE))
        .id(&flags.id)
        .app("strata demo", env!("CARGO_PKG_VERSION"))
        .redis(redis)
        .l2_timeout(L2_TIMEOUT)
        .fleet(Fleet::reports().looks().values().refreshes().moves_dead_letters());
    let node = builder.start().await.map_err(|error| failed(&error))?;
    let site = Site::new(node.clone(), store.clone()).map_err(|error| failed(&error))?;
    for cache in CacheKey::CACHES {
        let site = site.clone();
        node.refresh_with(cache, move |key| refresh(site.clone(), cache, key));
    }
    let rate_per_s = flags.rate.unwrap_or(STEADY.rate_per_s);
    let state = TrafficState { running: flags.with_traffic, rate_per_s, ..STEADY };
    let _traffic = Traffic::start(vec![site], state, flags.users, &tasks);
    shutdown.cancelled().await;
    node.shutdown().await;
    store.close().await;
    Ok(())
}

fn failed(error: &(dyn Error + 'static)) -> anyhow::Error {
    anyhow::anyhow!("failed to {}", ErrorChain(error))
}

async fn refresh(site: Site, cache: &'static str, key: String) -> Result<(), String> {
    let key = CacheKey::parse(cache, &key).ok_or("read the key")?;
    site.read_key(&key).await.map_err(|error| ErrorChain(&error).to_string())
}

/// A process must not outlive the program that started it, however that ends.
fn end_with_stdin(shutdown: CancellationToken) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        shutdown.cancel();
    });
}
