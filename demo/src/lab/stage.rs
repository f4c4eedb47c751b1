use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_cache::{BuildError, Cache, Node};
use tokio::sync::RwLock;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::ledger::Ledger;
use super::tally::Tally;
use super::trace::{Step, Trace};
use super::{PlayError, ResultRow, Settings, Source};
use crate::Items;
use crate::strategies::{Strategy, StrategyKind, Surroundings};

/// What one strategy is tried on: nodes, a cache, a table and a namespace of its own.
///
/// Scripts read and write through it, so that it can count, and break things on it. Every wait on
/// it ends when it is stopped. Nothing of it is left after its run.
pub struct Stage {
    pub(super) kind: StrategyKind,
    pub(super) settings: Settings,
    pub(super) place: Place,
    seats: Mutex<Vec<Option<Seat>>>,
    pub(super) source: Source,
    /// Another client of the same Redis, which clears up at the end.
    outsider: Option<Node>,
    pub(super) ledger: Ledger,
    pub(super) tally: Tally,
    pub(super) trace: Trace,
    began: Instant,
    pub(super) stop: CancellationToken,
    /// Held for reading by whoever reads or writes, so that the end can wait for them.
    pub(super) acting: RwLock<()>,
}

/// Where a stage is set.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) namespace: String,
    pub(super) redis_url: Option<String>,
}

#[derive(Clone)]
pub(super) struct Seat {
    pub(super) node: Node,
    pub(super) strategy: Strategy,
}

/// The name of the cache on every stage.
const CACHE: &str = "items";
/// Many experiments share few processors, and a timeout would tell of the machine alone.
const L2_TIMEOUT: Duration = Duration::from_secs(2);
const LEASE_WAIT: Duration = Duration::from_secs(2);
const LOAD_TIMEOUT: Duration = Duration::from_secs(5);
const LAST_ACTS: Duration = Duration::from_secs(4);
const ERASE_ROUNDS: usize = 8;
const ERASE_PAUSE: Duration = Duration::from_millis(20);

impl Stage {
    pub(super) async fn set(
        kind: StrategyKind,
        settings: Settings,
        place: Place,
        stop: CancellationToken,
    ) -> Result<Self, PlayError> {
        let trace = Trace::default();
        let items = Items::open(settings.items, settings.item_bytes).await?;
        let source = Source::new(items, trace.clone(), stop.clone());
        source.set_delay(Duration::from_millis(settings.source_delay_ms));
        let outsider = match &place.redis_url {
            Some(_) => Some(place.node("lab").await?),
            None => None,
        };
        let stage = Self {
            kind,
            settings,
            place,
            seats: Mutex::default(),
            source,
            outsider,
            ledger: Ledger::default(),
            tally: Tally::default(),
            trace,
            began: Instant::now(),
            stop,
            acting: RwLock::default(),
        };
        for number in 1..=stage.settings.nodes {
            let seat = stage.seat_node(number).await;
            match seat {
                Ok(seat) => stage.seats().push(Some(seat)),
                Err(error) => {
                    stage.strike().await;
                    return Err(error);
                }
            }
        }
        Ok(stage)
    }

    /// What it was set with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Which strategy is tried.
    pub fn strategy(&self) -> StrategyKind {
        self.kind
    }

    /// The database, to make it slow, cut it off or hold it up.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Begins a step of the script; `text` says what it does, as a sentence.
    pub fn step(&self, text: &str) {
        self.trace.step(text);
    }

    /// What it came to so far.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn result(&self) -> Result<ResultRow, PlayError> {
        let counts = self.tally.so_far();
        Ok(ResultRow {
            strategy: self.kind,
            outcomes: counts.outcomes,
            queries: self.source.selects(),
            updates: self.source.updates(),
            p50_ns: counts.took.quantile_ns(0.5),
            p99_ns: counts.took.quantile_ns(0.99),
            stale_reads: counts.stale_reads,
            acknowledged: counts.acknowledged,
            refused: counts.refused,
            lost_writes: self.ledger.lost(&self.source.items().versions().await?),
            took_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// What happened so far.
    pub fn steps(&self) -> Vec<Step> {
        self.trace.steps()
    }

    /// Ends all of it and removes every key. Where Redis is away keys remain.
    pub(super) async fn strike(&self) {
        self.stop.cancel();
        let _alone = timeout(LAST_ACTS, self.acting.write()).await;
        for seat in std::mem::take(&mut *self.seats()).into_iter().flatten() {
            seat.node.shutdown();
        }
        self.source.items().close().await;
        if let Some(outsider) = &self.outsider {
            outsider.shutdown();
            self.erase(outsider).await;
        }
    }

    // A command that a node had sent just before it ended may arrive after the first round.
    async fn erase(&self, outsider: &Node) {
        for _ in 0..ERASE_ROUNDS {
            match outsider.erase_namespace().await {
                Some(0) => return,
                Some(_) => tokio::time::sleep(ERASE_PAUSE).await,
                None => break,
            }
        }
        tracing::warn!(namespace = self.place.namespace, "keys of an experiment may remain");
    }

    pub(super) async fn seat_node(&self, number: usize) -> Result<Seat, PlayError> {
        let settings = &self.settings;
        let node = self.place.node(&number.to_string()).await?;
        let cache = Cache::builder(CACHE)
            .l1_entries(settings.l1_entries)
            .time_to_live(Duration::from_millis(settings.time_to_live_ms))
            .l2_time_to_live(Duration::from_millis(settings.l2_time_to_live_ms))
            .jitter(0.0)
            .lease_wait(LEASE_WAIT)
            .load_timeout(LOAD_TIMEOUT)
            .build(&node)?;
        let redis = self.outsider.as_ref().map(|node| node.structures(CACHE)).transpose()?;
        let surroundings = Surroundings {
            node: node.clone(),
            cache,
            source: self.source.clone(),
            redis,
            flush_every: Duration::from_millis(settings.flush_every_ms),
        };
        let strategy = Strategy::build(self.kind, surroundings)?.ok_or(PlayError::NeedsRedis)?;
        Ok(Seat { node, strategy })
    }

    pub(super) fn seat(&self, node: usize) -> Result<Seat, PlayError> {
        self.go_on()?;
        let seat = self.seats().get(node.wrapping_sub(1)).cloned().flatten();
        seat.ok_or(PlayError::NodeDown(node))
    }

    pub(super) fn living(&self) -> Vec<Seat> {
        self.seats().iter().flatten().cloned().collect()
    }

    pub(super) fn go_on(&self) -> Result<(), PlayError> {
        if self.stop.is_cancelled() { Err(PlayError::Stopped) } else { Ok(()) }
    }

    pub(super) fn seats(&self) -> MutexGuard<'_, Vec<Option<Seat>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    async fn node(&self, id: &str) -> Result<Node, BuildError> {
        let mut builder = Node::builder(&self.namespace).id(id).l2_timeout(L2_TIMEOUT);
        if let Some(url) = &self.redis_url {
            builder = builder.redis_url(url);
        }
        builder.start().await
    }
}
