use std::any::Any;
use std::collections::HashSet;
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::deadlock::{Deadlock, WaitEdge, WaitNode};
use crate::error::LoadError;
use crate::key::{Key, Value};
use crate::read::cache_core::Core;
use crate::user_code::{BoxFuture, contained};

/// Waits for work that runs to its end even if this wait is dropped.
pub(crate) async fn to_its_end<T: Send + 'static>(running: JoinHandle<T>) -> Option<T> {
    match running.await {
        Ok(done) => Some(done),
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // The runtime is shutting down, and the process with it.
        Err(_) => None,
    }
}

tokio::task_local! {
    /// The load or write that this task's code belongs to, if any.
    static RUN_BY: Option<Arc<Running>>;
}

/// A load or a write under way, and the one that it belongs to.
struct Running {
    /// The cache, by its address.
    cache: usize,
    work: Work,
    /// A set of the cache's keys, and a function that names one of them.
    keys: Box<dyn Any + Send + Sync>,
    name: fn(&(dyn Any + Send + Sync)) -> Option<String>,
    cache_name: Arc<str>,
    /// The flights that a load waits for.
    waits: Option<Arc<WaitNode>>,
    run_by: Option<Arc<Running>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Load,
    Write,
}

/// Spawns a task in the caller's span that belongs to the same load or write as the caller.
pub(crate) fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(RUN_BY.scope(run_by(), shallow(future)).in_current_span())
}

/// As [`spawn`], for work that no load or write waits for.
pub(crate) fn spawn_detached<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(RUN_BY.scope(None, shallow(future)).in_current_span())
}

/// Detaches work from loads and writes, since none waits for it any more.
pub(crate) fn detached<F: Future>(future: F) -> impl Future<Output = F::Output> {
    RUN_BY.scope(None, future)
}

/// Whether the caller belongs to a load of any cache.
pub(crate) fn is_run_by_a_load() -> bool {
    is_any(|running| running.work == Work::Load)
}

/// Hides the future's type from callers, since rustc refuses futures that nest too deep.
fn shallow<T>(future: impl Future<Output = T> + Send + 'static) -> BoxFuture<'static, T> {
    Box::pin(future)
}

/// As [`spawn_detached`], for a caller that is being dropped, perhaps outside its runtime's
/// context.
pub(crate) fn spawn_on<F>(runtime: &Handle, future: F)
where
    F: Future<Output: Send> + Send + 'static,
{
    // A second panic would end the process, and a subscriber is foreign code.
    let spawn = || runtime.spawn(RUN_BY.scope(None, shallow(future)).in_current_span());
    drop(contained(spawn));
}

/// As [`spawn`], for a load of these keys. The task then belongs to that load.
pub(crate) fn spawn_load<K: Key, V: Value, F>(
    core: &Core<K, V>,
    (keys, flights): (Vec<K>, Vec<Arc<WaitNode>>),
    load: impl FnOnce(Vec<K>) -> F,
) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let waits = WaitNode::of_a_load(&flights);
    let running = core.running((Work::Load, Some(waits)), &keys);
    tokio::spawn(RUN_BY.scope(running, load(keys)).in_current_span())
}

/// Begins to wait for a flight.
///
/// # Errors
/// If the caller belongs to a load that the flight itself waits for.
pub(crate) fn wait_for(flight: &Arc<WaitNode>) -> Result<Option<WaitEdge>, LoadError> {
    let Some(load) = nearest_load() else { return Ok(None) };
    let Some(waits) = &load.waits else { return Ok(None) };
    WaitEdge::begin(waits, flight).map(Some).map_err(|Deadlock| {
        let key = contained(|| (load.name)(&*load.keys)).flatten().unwrap_or_default();
        LoadError::Recursive { cache: Arc::clone(&load.cache_name), key: Arc::from(key) }
    })
}

fn nearest_load() -> Option<Arc<Running>> {
    let mut running = run_by()?;
    while running.work != Work::Load {
        let outer = running.run_by.clone()?;
        running = outer;
    }
    Some(running)
}

fn a_name<K: Key>(keys: &(dyn Any + Send + Sync)) -> Option<String> {
    Some(keys.downcast_ref::<HashSet<K>>()?.iter().next()?.to_string())
}

fn run_by() -> Option<Arc<Running>> {
    RUN_BY.try_with(Clone::clone).ok().flatten()
}

fn is_any(mut holds: impl FnMut(&Running) -> bool) -> bool {
    let look = |run_by: &Option<Arc<Running>>| {
        let mut next = run_by.as_ref();
        while let Some(running) = next {
            if holds(running) {
                return true;
            }
            next = running.run_by.as_ref();
        }
        false
    };
    RUN_BY.try_with(look).unwrap_or(false)
}

impl<K: Key, V: Value> Core<K, V> {
    /// The error if a read must not wait for this key, because it belongs to a load of the same
    /// key.
    pub(crate) fn recursion(&self, key: &K) -> Option<LoadError> {
        let waits_for_itself = self.runs(Work::Load, |keys| keys.contains(key));
        waits_for_itself.then(|| LoadError::Recursive {
            cache: Arc::from(&*self.name),
            key: Arc::from(key.to_string()),
        })
    }

    /// Whether the caller belongs to a load of this cache, which is counted already.
    pub(crate) fn is_within_a_load(&self) -> bool {
        self.runs(Work::Load, |_| true)
    }

    /// Whether the caller belongs to a write of the key, which holds the lease.
    pub(crate) fn is_within_a_write(&self, key: &K) -> bool {
        self.runs(Work::Write, |keys| keys.contains(key))
    }

    fn runs(&self, work: Work, mut which: impl FnMut(&HashSet<K>) -> bool) -> bool {
        let cache = self.address();
        is_any(|running| {
            running.cache == cache
                && running.work == work
                && running.keys.downcast_ref::<HashSet<K>>().is_some_and(&mut which)
        })
    }

    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Runs a write of this key.
    pub(crate) fn writing<F: Future>(
        &self,
        key: &K,
        write: F,
    ) -> impl Future<Output = F::Output> + use<K, V, F> {
        RUN_BY.scope(self.running((Work::Write, None), std::slice::from_ref(key)), write)
    }

    fn running(
        &self,
        (work, waits): (Work, Option<Arc<WaitNode>>),
        keys: &[K],
    ) -> Option<Arc<Running>> {
        let run_by = run_by();
        // If a key's own code panics, the load is merely not tracked.
        let keys = self.recorder.contain(|| keys.iter().cloned().collect::<HashSet<K>>());
        let Some(keys) = keys else { return run_by };
        Some(Arc::new(Running {
            cache: self.address(),
            work,
            keys: Box::new(keys),
            name: a_name::<K>,
            cache_name: Arc::from(&*self.name),
            waits,
            run_by,
        }))
    }
}
