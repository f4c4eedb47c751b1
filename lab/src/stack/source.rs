use std::collections::HashMap;
use std::future::Future;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_cache::ErrorChain;
use strata_demo::{Item, Items, StoreError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::call_gates::{Call, CallGates};
use crate::trace::{Level, Trace, TraceLine};

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
    call_gates: CallGates,
    trace: Trace,
    stop: CancellationToken,
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
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Source {
    pub(crate) fn new(items: Items, trace: Trace, stop: CancellationToken) -> Self {
        let inner = Inner {
            items,
            delay: Mutex::default(),
            slowness: Mutex::default(),
            down: AtomicBool::new(false),
            selects: AtomicU64::new(0),
            updates: AtomicU64::new(0),
            call_gates: CallGates::new(stop.clone()),
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

    /// Reads a page by one query. It comes as an item, so that strategies and counts need not tell
    /// the two apart; its version is the sum of those of its items. `None` where none is there.
    ///
    /// # Errors
    /// Where the database does not answer.
    pub async fn select_page(&self, page: u64) -> Result<Option<Item>, SourceError> {
        let ids: Vec<u64> = items_on(page).collect();
        let found = self.select_many(&ids).await?;
        let version: u64 = found.values().map(|item| item.version).sum();
        let body = ids.iter().filter_map(|id| Some(found.get(id)?.body.as_str())).collect();
        Ok((version > 0).then_some(Item { id: page, version, body }))
    }

    /// Writes items in one transaction.
    ///
    /// # Errors
    /// Where the database does not answer; with [`SourceError::Stopped`] it may have committed.
    pub async fn update(&self, items: &[Item]) -> Result<(), SourceError> {
        self.inner.updates.fetch_add(1, Relaxed);
        let query = self.inner.items.upsert(items);
        let rows = || match items.len() {
            1 => "INSERT … ON CONFLICT … UPDATE, 1 row, COMMIT".to_owned(),
            n => format!("INSERT … ON CONFLICT … UPDATE, {n} rows, COMMIT"),
        };
        self.call(Call::Update, query, rows).await
    }

    /// From now on every call takes so much longer.
    pub fn set_delay(&self, delay: Duration) {
        *locked(&self.inner.delay) = delay;
    }

    pub(crate) fn set_slowness(&self, slowness: Duration) {
        *locked(&self.inner.slowness) = slowness;
    }

    pub(crate) fn cut_off(&self) {
        self.inner.down.store(true, Relaxed);
    }

    pub(crate) fn bring_back(&self) {
        self.inner.down.store(false, Relaxed);
    }

    /// How many queries were asked.
    pub fn selects(&self) -> u64 {
        self.inner.selects.load(Relaxed)
    }

    /// How many transactions were asked for.
    pub fn updates(&self) -> u64 {
        self.inner.updates.load(Relaxed)
    }

    pub(crate) fn items(&self) -> &Items {
        &self.inner.items
    }

    pub(crate) fn call_gates(&self) -> &CallGates {
        &self.inner.call_gates
    }

    async fn call<T>(
        &self,
        call: Call,
        query: impl Future<Output = Result<T, StoreError>>,
        command: impl FnOnce() -> String,
    ) -> Result<T, SourceError> {
        let passage = self.inner.call_gates.begin(call);
        let started = Instant::now();
        let answer = self.answer(call, query).await;
        let mut command = command();
        if let Err(error) = &answer {
            command = format!("{command}: {}", ErrorChain(error));
        }
        self.inner.trace.push(TraceLine::command(Level::Source, None, command, started));
        let answer = answer?;
        // The database has done it. The caller is held up before it gets the answer.
        passage.pass().await.ok_or(SourceError::Stopped)?;
        Ok(answer)
    }

    async fn answer<T>(
        &self,
        call: Call,
        query: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, SourceError> {
        let Inner { stop, down, call_gates, .. } = &*self.inner;
        if call == Call::Update {
            call_gates.begin(Call::Commit).pass().await.ok_or(SourceError::Stopped)?;
        }
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
        Ok(query.await?)
    }
}

/// The items that a page shows: the one it is named after and the two that follow.
pub(crate) fn items_on(page: u64) -> RangeInclusive<u64> {
    page..=page.saturating_add(2)
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
