use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::PlayError;
use super::trace::{Level, Trace, TraceLine};
use crate::{Item, Items, StoreError};

/// The database of one experiment: counts what it is asked, and can be made slow, cut off or held
/// up. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Source {
    inner: Arc<Inner>,
}

struct Inner {
    items: Items,
    delay: Mutex<Duration>,
    /// Comes on top of the delay.
    slowness: Mutex<Duration>,
    down: AtomicBool,
    selects: AtomicU64,
    updates: AtomicU64,
    holds: Mutex<Vec<(Call, Gate)>>,
    trace: Trace,
    stop: CancellationToken,
}

/// What is asked of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Items are read.
    Select,
    /// Items are written.
    Update,
}

/// Why the database did not answer.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The experiment has cut it off.
    #[error("reach the database: the experiment has cut it off")]
    Down,
    /// The experiment ends.
    #[error("ask the database: the experiment has been stopped")]
    Stopped,
    /// It answered with an error.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// One call of the database that is held up between its commit and its answer. Goes on when this
/// is dropped.
pub struct Held {
    gate: Gate,
    stop: CancellationToken,
}

#[derive(Clone, Default)]
struct Gate {
    entered: CancellationToken,
    released: CancellationToken,
}

impl Source {
    pub(super) fn new(items: Items, trace: Trace, stop: CancellationToken) -> Self {
        let inner = Inner {
            items,
            delay: Mutex::default(),
            slowness: Mutex::default(),
            down: AtomicBool::new(false),
            selects: AtomicU64::new(0),
            updates: AtomicU64::new(0),
            holds: Mutex::default(),
            trace,
            stop,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Reads one item.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn select(&self, id: u64) -> Result<Option<Item>, SourceError> {
        self.inner.selects.fetch_add(1, Relaxed);
        let query = self.inner.items.select(id);
        self.call(Call::Select, query, || format!("{} [{id}]", Items::SELECT)).await
    }

    /// Reads many items by one query; those that do not exist are left out.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn select_many(&self, ids: &[u64]) -> Result<HashMap<u64, Item>, SourceError> {
        self.inner.selects.fetch_add(1, Relaxed);
        let query = self.inner.items.select_many(ids);
        self.call(Call::Select, query, || format!("{} {ids:?}", Items::SELECT_MANY)).await
    }

    /// Writes items in one transaction.
    ///
    /// # Errors
    /// Where the database does not answer; with [`SourceError::Stopped`] it may have committed.
    pub async fn update(&self, items: &[Item]) -> Result<(), SourceError> {
        self.inner.updates.fetch_add(1, Relaxed);
        let query = self.inner.items.upsert(items);
        let rows = || format!("INSERT … ON CONFLICT … UPDATE, {} rows, COMMIT", items.len());
        self.call(Call::Update, query, rows).await
    }

    /// From now on every call takes so much longer.
    pub fn set_delay(&self, delay: Duration) {
        *locked(&self.inner.delay) = delay;
    }

    pub(super) fn set_slowness(&self, slowness: Duration) {
        *locked(&self.inner.slowness) = slowness;
    }

    /// Cuts the database off, or brings it back.
    pub fn set_down(&self, down: bool) {
        self.inner.down.store(down, Relaxed);
    }

    /// Holds up the next call of this kind between its commit and its answer.
    pub fn hold_next(&self, call: Call) -> Held {
        let gate = Gate::default();
        self.holds().push((call, gate.clone()));
        Held { gate, stop: self.inner.stop.clone() }
    }

    /// How many queries were asked.
    pub fn selects(&self) -> u64 {
        self.inner.selects.load(Relaxed)
    }

    /// How many transactions were asked for.
    pub fn updates(&self) -> u64 {
        self.inner.updates.load(Relaxed)
    }

    pub(super) fn items(&self) -> &Items {
        &self.inner.items
    }

    async fn call<T>(
        &self,
        call: Call,
        query: impl Future<Output = Result<T, StoreError>>,
        command: impl FnOnce() -> String,
    ) -> Result<T, SourceError> {
        let started = Instant::now();
        let answer = self.answer(call, query).await;
        let mut command = command();
        if let Err(error) = &answer {
            command = format!("{command}: {error}");
        }
        self.inner.trace.push(TraceLine::of(Level::Source, None, command, started));
        answer
    }

    async fn answer<T>(
        &self,
        call: Call,
        query: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, SourceError> {
        let Inner { stop, down, .. } = &*self.inner;
        let gate = self.take_gate(call);
        let delay = *locked(&self.inner.delay) + *locked(&self.inner.slowness);
        if !delay.is_zero() {
            stop.run_until_cancelled(tokio::time::sleep(delay)).await;
        }
        if stop.is_cancelled() {
            return Err(SourceError::Stopped);
        }
        if down.load(Relaxed) {
            return Err(SourceError::Down);
        }
        let answer = query.await?;
        if let Some(gate) = gate {
            gate.entered.cancel();
            let released = stop.run_until_cancelled(gate.released.cancelled()).await;
            released.ok_or(SourceError::Stopped)?;
        }
        Ok(answer)
    }

    fn take_gate(&self, call: Call) -> Option<Gate> {
        let mut holds = self.holds();
        let at = holds.iter().position(|(held, _)| *held == call)?;
        Some(holds.remove(at).1)
    }

    fn holds(&self) -> MutexGuard<'_, Vec<(Call, Gate)>> {
        locked(&self.inner.holds)
    }
}

impl Held {
    /// Waits until the call is held up.
    ///
    /// # Errors
    /// When the experiment is stopped first.
    pub async fn entered(&self) -> Result<(), PlayError> {
        let entered = self.stop.run_until_cancelled(self.gate.entered.cancelled()).await;
        entered.ok_or(PlayError::Stopped)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gate.released.cancel();
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
