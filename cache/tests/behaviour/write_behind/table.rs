use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use strata_cache::{PermanentFailure, Read, Row, WriteBehind};
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

pub(crate) type Writes = WriteBehind<u64, String>;

/// The source: a table that applies rows by version. It can be held up, be down, and refuse keys.
#[derive(Clone)]
pub(crate) struct Table {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    entered: Notify,
    gate: Semaphore,
}

#[derive(Default)]
struct State {
    rows: HashMap<u64, (u64, String)>,
    /// The applied rows, in order.
    applied: Vec<(u64, String)>,
    /// Rows that came too late.
    ignored: usize,
    refused: HashSet<u64>,
    refused_for_good: HashSet<u64>,
    is_down: bool,
    hangs_after_commit: bool,
    calls: Vec<Instant>,
}

impl Table {
    pub(crate) fn new() -> Self {
        let table = Self::held();
        table.release();
        table
    }

    /// A table whose writes wait, before they commit, until it is released.
    pub(crate) fn held() -> Self {
        let (entered, gate) = (Notify::new(), Semaphore::new(0));
        Self { inner: Arc::new(Inner { state: Mutex::default(), entered, gate }) }
    }

    /// Makes its writes wait again, until it is released.
    pub(crate) fn hold(&self) {
        self.inner.gate.forget_permits(usize::MAX);
    }

    pub(crate) fn release(&self) {
        self.inner.gate.add_permits(1_000_000);
    }

    /// Adds a row that was there before.
    pub(crate) fn seed(&self, key: u64, value: &str) {
        self.state().rows.insert(key, (1, value.to_owned()));
    }

    pub(crate) fn refuse(&self, key: u64) {
        self.state().refused.insert(key);
    }

    /// Refuses with an error that no later try can fix.
    pub(crate) fn refuse_for_good(&self, key: u64) {
        self.state().refused_for_good.insert(key);
    }

    pub(crate) fn accept(&self, key: u64) {
        let mut state = self.state();
        state.refused.remove(&key);
        state.refused_for_good.remove(&key);
    }

    /// Another program writes a row, past the cache.
    pub(crate) fn overwrite(&self, key: u64, value: &str) {
        self.state().rows.insert(key, (u64::MAX, value.to_owned()));
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    /// Its writes commit, and then never answer.
    pub(crate) fn hang_after_commit(&self) {
        self.state().hangs_after_commit = true;
    }

    pub(crate) fn answer_again(&self) {
        self.state().hangs_after_commit = false;
    }

    pub(crate) async fn entered(&self) {
        self.inner.entered.notified().await;
    }

    pub(crate) fn row(&self, key: u64) -> Option<String> {
        self.state().rows.get(&key).map(|(_, value)| value.clone())
    }

    pub(crate) fn applied(&self) -> Vec<(u64, String)> {
        self.state().applied.clone()
    }

    pub(crate) fn n_ignored(&self) -> usize {
        self.state().ignored
    }

    pub(crate) fn calls(&self) -> Vec<Instant> {
        self.state().calls.clone()
    }

    /// A sink of the in-memory kind. Rows have no versions, so each counts as newer than the last.
    pub(crate) fn pairs(
        &self,
    ) -> impl Fn(Vec<(u64, String)>) -> Writing + Send + Sync + 'static + use<> {
        let table = self.clone();
        move |pairs| {
            let state = table.state();
            let version = |key: &u64| state.rows.get(key).map_or(1, |(version, _)| version + 1);
            let rows = pairs.into_iter().map(|(key, value)| (key, version(&key), value)).collect();
            drop(state);
            Box::pin(table.clone().write(rows))
        }
    }

    /// A sink of the durable kind.
    pub(crate) fn rows(
        &self,
    ) -> impl Fn(Vec<Row<u64, String>>) -> Writing + Send + Sync + 'static + use<> {
        let table = self.clone();
        move |rows| {
            let rows = rows.into_iter().map(|row| (row.key, row.version, row.value)).collect();
            Box::pin(table.clone().write(rows))
        }
    }

    async fn write(self, rows: Vec<(u64, u64, String)>) -> Result<(), std::io::Error> {
        self.state().calls.push(Instant::now());
        self.inner.entered.notify_one();
        let _permit = self.inner.gate.acquire().await.unwrap();
        let hangs = {
            let mut state = self.state();
            if state.is_down || rows.iter().any(|(key, ..)| state.refused.contains(key)) {
                return Err(std::io::Error::other("the table refuses"));
            }
            if let Some((key, ..)) =
                rows.iter().find(|(key, ..)| state.refused_for_good.contains(key))
            {
                let never = PermanentFailure(format!("the table never takes {key}"));
                return Err(std::io::Error::other(never));
            }
            for (key, version, value) in rows {
                let held = state.rows.get(&key).map(|(version, _)| *version);
                if held.is_some_and(|held| held >= version) {
                    state.ignored += 1;
                } else {
                    state.rows.insert(key, (version, value.clone()));
                    state.applied.push((key, value));
                }
            }
            state.hangs_after_commit
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    pub(crate) async fn read(&self, writes: &Writes, key: u64) -> Read<String> {
        let table = self.clone();
        let load = async move || Ok::<_, std::io::Error>(table.row(key));
        writes.get_or_load(&key, load).await.unwrap()
    }

    /// The value that a reader gets, "" for none.
    pub(crate) async fn value(&self, writes: &Writes, key: u64) -> String {
        self.read(writes, key).await.value.map(|value| value.to_string()).unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap()
    }
}

pub(crate) type Writing =
    std::pin::Pin<Box<dyn Future<Output = Result<(), std::io::Error>> + Send>>;
