use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_cache::Node;
use strata_demo::Items;
use tokio::sync::RwLock;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::contender::{Contender, ContenderRun, ResultRow};
use super::counters::Counters;
use super::environment::Environment;
use super::error::SandboxError;
use super::fault::Fault;
use super::node::{L2_TIMEOUT, SandboxNode};
use super::step_gate::StepGate;
use super::writes::WriteHistory;
use crate::redis_proxy::RedisProxy;
use crate::settings::Settings;
use crate::stack::{ChannelHub, Source};
use crate::strategies::StrategyKind;
use crate::trace::Trace;

/// Where one strategy runs: nodes, a cache, a table and a namespace of its own.
///
/// Scripts read and write through it, so that it can count, and break things on it. Every wait on
/// it ends when it is stopped. Nothing of it is left after its run.
pub struct Sandbox {
    title: String,
    pub(crate) kind: StrategyKind,
    pub(crate) settings: Settings,
    pub(crate) environment: Environment,
    /// One for each node; none where Redis is not there or cannot be cut off.
    pub(crate) proxies: Vec<RedisProxy>,
    slots: Mutex<Vec<Option<SandboxNode>>>,
    faults: Mutex<BTreeSet<Fault>>,
    steps: StepGate,
    /// The step that waits to be played: its number and what it does.
    waiting: Mutex<Option<(usize, String)>>,
    pub(crate) source: Source,
    /// Connects the nodes of strategies that do without the bus.
    pub(crate) channels: ChannelHub,
    /// Another client of the same Redis, which clears up at the end.
    pub(crate) outsider: Option<Node>,
    pub(crate) writes: WriteHistory,
    pub(crate) counters: Counters,
    pub(crate) trace: Trace,
    began: Instant,
    pub(crate) stop: CancellationToken,
    /// Each read and write holds it for reading, so that the end can wait for them.
    pub(crate) operations: RwLock<()>,
}

const LAST_OPERATIONS: Duration = Duration::from_secs(4);

impl Sandbox {
    pub(crate) async fn open(
        contender: Contender,
        environment: Environment,
        steps: StepGate,
        stop: CancellationToken,
    ) -> Result<Self, SandboxError> {
        let Contender { title, strategy: kind, settings } = contender;
        let trace = Trace::default();
        let items = Items::open(settings.items, settings.item_bytes).await?;
        let source = Source::new(items, trace.clone(), stop.clone());
        source.set_delay(Duration::from_millis(settings.source_delay_ms));
        let outsider = match environment.redis()? {
            Some(redis) => Some(environment.node("lab", Some(redis), L2_TIMEOUT).await?),
            None => None,
        };
        let sandbox = Self {
            title,
            kind,
            proxies: environment.proxies(settings.nodes, &trace),
            settings,
            environment,
            slots: Mutex::default(),
            faults: Mutex::default(),
            steps,
            waiting: Mutex::default(),
            source,
            channels: ChannelHub::default(),
            outsider,
            writes: WriteHistory::default(),
            counters: Counters::default(),
            trace,
            began: Instant::now(),
            stop,
            operations: RwLock::default(),
        };
        for number in 1..=sandbox.settings.nodes {
            let node = sandbox.start_node(number).await;
            match node {
                Ok(node) => sandbox.slots().push(Some(node)),
                Err(error) => {
                    sandbox.tear_down().await;
                    return Err(error);
                }
            }
        }
        Ok(sandbox)
    }

    /// What it runs with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The database, to make it slow or cut it off.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Begins a step of the script, once it may; `text` says what it does, as a sentence.
    ///
    /// # Errors
    /// When the sandbox is stopped first.
    pub async fn step(&self, text: &str) -> Result<(), SandboxError> {
        let number = self.trace.n_steps() + 1;
        *locked(&self.waiting) = Some((number, text.to_owned()));
        let may = self.steps.until(number, &self.stop).await;
        *locked(&self.waiting) = None;
        may?;
        self.trace.step(text);
        Ok(())
    }

    /// What it came to so far.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn result(&self) -> Result<ResultRow, SandboxError> {
        let counts = self.counters.so_far();
        Ok(ResultRow {
            outcomes: counts.outcomes,
            queries: self.source.selects(),
            updates: self.source.updates(),
            p50_ns: counts.took.quantile_ns(0.5),
            p99_ns: counts.took.quantile_ns(0.99),
            stale_reads: counts.stale_reads,
            leaked: counts.leaked,
            acknowledged: counts.acknowledged,
            refused: counts.refused,
            expiry_peak: counts.expiry_peak,
            lost_writes: self.lost_writes().await?,
            l1_bytes: self.l1_bytes(),
            took_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Acknowledged writes that the database does not have.
    pub(crate) async fn lost_writes(&self) -> Result<u64, SandboxError> {
        // Looking must not keep the experiment's only connection busy for nothing.
        if self.writes.is_empty() {
            return Ok(0);
        }
        Ok(self.writes.lost(&self.source.items().versions().await?))
    }

    /// All that is shown of it so far.
    pub(crate) async fn contender_run(&self) -> Result<ContenderRun, SandboxError> {
        Ok(ContenderRun {
            title: self.title.clone(),
            strategy: self.kind,
            settings: self.settings.clone(),
            result: self.result().await?,
            steps: self.trace.steps(),
            is_over: false,
        })
    }

    /// The step that waits to be allowed.
    pub(crate) fn waiting(&self) -> Option<(usize, String)> {
        let waiting = locked(&self.waiting).clone();
        waiting.filter(|(number, _)| *number > self.steps.allowed())
    }

    /// What is broken on it at the moment.
    pub(crate) fn faults(&self) -> MutexGuard<'_, BTreeSet<Fault>> {
        locked(&self.faults)
    }

    /// Ends all of it and removes every key. Where Redis is away keys remain.
    pub(crate) async fn tear_down(&self) {
        self.stop.cancel();
        let _alone = timeout(LAST_OPERATIONS, self.operations.write()).await;
        for node in std::mem::take(&mut *self.slots()).into_iter().flatten() {
            node.node.shutdown();
        }
        self.source.items().close().await;
        if let Some(outsider) = &self.outsider {
            outsider.shutdown();
            self.environment.erase(outsider).await;
        }
    }

    /// The node of this number or, where it was killed, the next live one.
    pub(crate) fn live_node(&self, node: usize) -> Result<SandboxNode, SandboxError> {
        self.go_on()?;
        let slots = self.slots();
        let mut from_it_on = slots.iter().cycle().skip(node.wrapping_sub(1)).take(slots.len());
        from_it_on.find_map(Clone::clone).ok_or(SandboxError::NodesDown)
    }

    pub(crate) fn live_nodes(&self) -> Vec<SandboxNode> {
        self.slots().iter().flatten().cloned().collect()
    }

    pub(crate) fn go_on(&self) -> Result<(), SandboxError> {
        if self.stop.is_cancelled() { Err(SandboxError::Stopped) } else { Ok(()) }
    }

    pub(crate) fn slots(&self) -> MutexGuard<'_, Vec<Option<SandboxNode>>> {
        locked(&self.slots)
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
