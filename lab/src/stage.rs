use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_cache::Node;
use strata_demo::Items;
use tokio::sync::RwLock;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::channel::Air;
use super::experiment::Contender;
use super::ledger::Ledger;
use super::pace::Steps;
use super::seat::{L2_TIMEOUT, Place, Seat};
use super::tally::Tally;
use super::trace::Trace;
use super::wire::Wire;
use super::{Fault, Performance, PlayError, ResultRow, Settings, Source};
use crate::StrategyKind;

/// What one strategy is tried on: nodes, a cache, a table and a namespace of its own.
///
/// Scripts read and write through it, so that it can count, and break things on it. Every wait on
/// it ends when it is stopped. Nothing of it is left after its run.
pub struct Stage {
    title: String,
    pub(super) kind: StrategyKind,
    pub(super) settings: Settings,
    pub(super) place: Place,
    /// One for each node; none where Redis is not there or cannot be cut off.
    pub(super) wires: Vec<Wire>,
    seats: Mutex<Vec<Option<Seat>>>,
    faults: Mutex<BTreeSet<Fault>>,
    steps: Steps,
    /// The step that waits to be played: its number and what it does.
    waiting: Mutex<Option<(usize, String)>>,
    pub(super) source: Source,
    /// On which nodes talk whose strategy does not trust the bus.
    pub(super) air: Air,
    /// Another client of the same Redis, which clears up at the end.
    pub(super) outsider: Option<Node>,
    pub(super) ledger: Ledger,
    pub(super) tally: Tally,
    pub(super) trace: Trace,
    began: Instant,
    pub(super) stop: CancellationToken,
    /// Held for reading by whoever reads or writes, so that the end can wait for them.
    pub(super) acting: RwLock<()>,
}

const LAST_ACTS: Duration = Duration::from_secs(4);

impl Stage {
    pub(super) async fn set(
        contender: Contender,
        place: Place,
        steps: Steps,
        stop: CancellationToken,
    ) -> Result<Self, PlayError> {
        let Contender { title, strategy: kind, settings } = contender;
        let trace = Trace::default();
        let items = Items::open(settings.items, settings.item_bytes).await?;
        let source = Source::new(items, trace.clone(), stop.clone());
        source.set_delay(Duration::from_millis(settings.source_delay_ms));
        let outsider = match &place.redis_url {
            Some(url) => Some(place.node("lab", Some(url), L2_TIMEOUT).await?),
            None => None,
        };
        let stage = Self {
            title,
            kind,
            wires: place.wires(settings.nodes, &trace),
            settings,
            place,
            seats: Mutex::default(),
            faults: Mutex::default(),
            steps,
            waiting: Mutex::default(),
            source,
            air: Air::default(),
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

    /// The database, to make it slow or cut it off.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Begins a step of the script, once it may; `text` says what it does, as a sentence.
    ///
    /// # Errors
    /// When the stage is stopped first.
    pub async fn step(&self, text: &str) -> Result<(), PlayError> {
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
    pub async fn result(&self) -> Result<ResultRow, PlayError> {
        let counts = self.tally.so_far();
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
            wave: counts.wave,
            lost_writes: self.lost_writes().await?,
            l1_bytes: self.l1_bytes(),
            took_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Acknowledged writes that the database does not have.
    pub(super) async fn lost_writes(&self) -> Result<u64, PlayError> {
        // Whoever looks on must not keep the experiment's only connection busy for nothing.
        if self.ledger.is_empty() {
            return Ok(0);
        }
        Ok(self.ledger.lost(&self.source.items().versions().await?))
    }

    /// All that is shown of it so far.
    pub(super) async fn performance(&self) -> Result<Performance, PlayError> {
        Ok(Performance {
            title: self.title.clone(),
            strategy: self.kind,
            settings: self.settings.clone(),
            result: self.result().await?,
            steps: self.trace.steps(),
            is_over: false,
        })
    }

    /// The step that waits for somebody to go on.
    pub(super) fn waiting(&self) -> Option<(usize, String)> {
        let waiting = locked(&self.waiting).clone();
        waiting.filter(|(number, _)| *number > self.steps.allowed())
    }

    /// What is broken on it at the moment.
    pub(super) fn faults(&self) -> MutexGuard<'_, BTreeSet<Fault>> {
        locked(&self.faults)
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
            self.place.erase(outsider).await;
        }
    }

    /// The node of this number or, where it was killed, the next one that lives.
    pub(super) fn seat(&self, node: usize) -> Result<Seat, PlayError> {
        self.go_on()?;
        let seats = self.seats();
        let mut from_it_on = seats.iter().cycle().skip(node.wrapping_sub(1)).take(seats.len());
        from_it_on.find_map(Clone::clone).ok_or(PlayError::NodesDown)
    }

    pub(super) fn living(&self) -> Vec<Seat> {
        self.seats().iter().flatten().cloned().collect()
    }

    pub(super) fn go_on(&self) -> Result<(), PlayError> {
        if self.stop.is_cancelled() { Err(PlayError::Stopped) } else { Ok(()) }
    }

    pub(super) fn seats(&self) -> MutexGuard<'_, Vec<Option<Seat>>> {
        locked(&self.seats)
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
