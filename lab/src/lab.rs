use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use strata_cache::RedisAddress;
use strata_demo::trace::TraceStore;
use tokio::sync::{Semaphore, watch};

use crate::measure::{Bench, Measurement, MeasurementState};
use crate::runs::{Experiment, Phase, Run, RunRequest, RunShared, RunTask};
use crate::sandbox::{Environment, OnNode};
use crate::settings::SettingsError;

/// Starts experiments and keeps the results of the newest. Several may run at once. Each has a
/// namespace of its own in Redis.
pub struct Lab {
    redis_url: Option<String>,
    redis: Option<RedisAddress>,
    slots: Arc<Semaphore>,
    /// Tells this process's namespaces from those of others in the same Redis.
    origin: u128,
    n_started: AtomicU64,
    measurement: Arc<Measurement>,
    traces: TraceStore,
    runs: Mutex<VecDeque<Arc<Run>>>,
    on_node: OnNode,
    patience: Duration,
}

/// Why no run was started.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The settings make no experiment possible.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// As many as can run at once are running.
    #[error("start one more experiment: {0} are running; try again when one has ended")]
    Busy(usize),
    /// More contenders than fit side by side, or none.
    #[error("compare {0}: from 1 to {max} are possible", max = Lab::MAX_CONTENDERS)]
    Contenders(usize),
    /// The lesson needs Redis.
    #[error("run this lesson without Redis: start strata with one")]
    NeedsRedis,
}

impl Lab {
    /// Experiments that may run at once.
    pub const MAX_RUNS: usize = 8;
    /// Contenders side by side.
    pub const MAX_CONTENDERS: usize = Experiment::MAX_CONTENDERS;
    /// Runs whose results are kept.
    const MAX_KEPT: usize = 40;
    /// A run that goes step by step is stopped once its page has not been open for so long.
    const PATIENCE: Duration = Duration::from_secs(120);

    /// A lab on the Redis at this address, or without one.
    pub fn new(redis_url: Option<&str>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            redis_url: redis_url.map(str::to_owned),
            redis: None,
            slots: Arc::new(Semaphore::new(Self::MAX_RUNS)),
            origin: now.as_nanos(),
            n_started: AtomicU64::new(0),
            measurement: Arc::default(),
            traces: TraceStore::new(None),
            runs: Mutex::default(),
            on_node: Arc::new(|_| Box::new(())),
            patience: Self::PATIENCE,
        }
    }

    /// What the address does not say itself, such as the files of certificates.
    pub fn redis(mut self, address: RedisAddress) -> Self {
        self.redis = Some(address);
        self
    }

    /// Called with each node that an experiment starts. What it returns is kept as long as the node.
    pub fn on_node(mut self, on_node: OnNode) -> Self {
        self.on_node = on_node;
        self
    }

    /// A recording in a file can be picked too.
    pub fn trace(mut self, file: PathBuf) -> Self {
        self.traces = TraceStore::new(Some(file));
        self
    }

    /// How long a run waits at a step while its page is not open. The default is two minutes.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts an experiment. It runs until it ends or is stopped. One that waits at a step is
    /// stopped when its page is closed for long. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the settings make no sense, as many as possible are running, or it needs Redis.
    pub fn start(&self, request: RunRequest) -> Result<Arc<Run>, LabError> {
        self.start_permitted(request, || Ok(()))
    }

    /// The same with a permit, which is kept until the run has ended. A second request with the same
    /// ticket gets the run that there is, and `permit` is not called.
    ///
    /// # Errors
    /// Those of [`Lab::start`] and of `permit`.
    pub fn start_permitted<P: Send + 'static, E: From<LabError>>(
        &self,
        request: RunRequest,
        permit: impl FnOnce() -> Result<P, E>,
    ) -> Result<Arc<Run>, E> {
        let mut runs = self.runs();
        let is_same =
            |run: &&Arc<Run>| !request.ticket.is_empty() && run.request().ticket == request.ticket;
        if let Some(run) = runs.iter().find(is_same) {
            return Ok(Arc::clone(run));
        }
        let permit = permit()?;
        self.check(&request)?;
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let slot = slot.map_err(|_| LabError::Busy(Self::MAX_RUNS))?;
        let number = self.next_number();
        let environment = self.environment(number);
        let shared = Arc::new(RunShared::new(&request));
        let (sender, phase) = watch::channel(Phase::Running);
        let run = Run::new(self.id(number), request.clone(), phase, Arc::clone(&shared));
        let patience = self.patience;
        let task = RunTask { request, environment, shared, phase: sender, patience };
        tokio::spawn(async move {
            task.run().await;
            drop((slot, permit));
        });
        let run = Arc::new(run);
        runs.push_front(Arc::clone(&run));
        forget_the_oldest(&mut runs);
        Ok(run)
    }

    /// The run of this name, running or among the newest that ended.
    pub fn run(&self, id: &str) -> Option<Arc<Run>> {
        self.runs().iter().find(|run| run.id() == id).cloned()
    }

    /// Recordings that experiments can be made with.
    pub fn traces(&self) -> &TraceStore {
        &self.traces
    }

    /// Whether there is a Redis for experiments.
    pub fn has_redis(&self) -> bool {
        self.redis_url.is_some()
    }

    /// Stops all runs and waits until they have cleared up.
    pub async fn shutdown(&self) {
        self.traces.shutdown();
        self.stop_measuring();
        let runs: Vec<_> = self.runs().drain(..).collect();
        runs.iter().for_each(|run| run.stop());
        for run in runs {
            run.ended().await;
        }
        self.measurement_ended().await;
    }

    /// Measures what a read costs on each level, in about ten seconds. Nothing else begins where a
    /// measurement is running. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When as many experiments as possible are running.
    pub fn measure(&self) -> Result<(), LabError> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().ok();
        let is_running = self.measurement.begin(slot, Bench::n_lines(self.has_redis()), |stop| {
            Bench::new(self.environment(self.next_number()), stop)
        });
        if is_running { Ok(()) } else { Err(LabError::Busy(Self::MAX_RUNS)) }
    }

    /// What was measured last, and whether a measurement is running.
    pub fn measured(&self) -> MeasurementState {
        self.measurement.so_far()
    }

    /// Waits until no measurement is running.
    pub async fn measurement_ended(&self) {
        self.measurement.ended().await;
    }

    /// Stops a measurement; the table before it stays.
    pub fn stop_measuring(&self) {
        self.measurement.stop();
    }

    fn check(&self, request: &RunRequest) -> Result<(), LabError> {
        let contenders = &request.experiment.contenders;
        if !(1..=Self::MAX_CONTENDERS).contains(&contenders.len()) {
            return Err(LabError::Contenders(contenders.len()));
        }
        for contender in contenders {
            contender.settings.check()?;
        }
        if request.experiment.needs_redis() && self.redis_url.is_none() {
            return Err(LabError::NeedsRedis);
        }
        Ok(())
    }

    fn next_number(&self) -> u64 {
        self.n_started.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn environment(&self, number: u64) -> Environment {
        Environment {
            namespace: format!("lab-{:x}-{:x}-{number:x}", std::process::id(), self.origin),
            redis_url: self.redis_url.clone(),
            redis: self.redis.clone(),
            cache: format!("lab-{number}"),
            on_node: Arc::clone(&self.on_node),
        }
    }

    // A link from before a restart leads to no other run.
    fn id(&self, number: u64) -> String {
        format!("{number}-{:06x}", (self.origin / 1_000) & 0xff_ffff)
    }

    fn runs(&self) -> MutexGuard<'_, VecDeque<Arc<Run>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Those that run are kept; they are few.
fn forget_the_oldest(runs: &mut VecDeque<Arc<Run>>) {
    let surplus = runs.len().saturating_sub(Lab::MAX_KEPT);
    for _ in 0..surplus {
        if let Some(oldest) = runs.iter().rposition(|run| run.phase() != Phase::Running) {
            runs.remove(oldest);
        }
    }
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab").field("n_started", &self.n_started).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io;

    use strata_cache::{BuildError, StructureError, WriteError};
    use strata_demo::StoreError;

    use super::*;
    use crate::sandbox::SandboxError;
    use crate::stack::SourceError;
    use crate::strategies::ChangeError;

    fn table() -> StoreError {
        StoreError::Dir(io::Error::other("it is read-only"))
    }

    fn with_a_source() -> Vec<Box<dyn Error>> {
        vec![
            Box::new(SourceError::from(table())),
            Box::new(ChangeError::from(SourceError::from(table()))),
            Box::new(ChangeError::from(WriteError::Away)),
            Box::new(ChangeError::from(StructureError::Away)),
            Box::new(SandboxError::from(table())),
            Box::new(SandboxError::from(BuildError::BadName("?".to_owned()))),
            Box::new(LabError::from(SettingsError::Unknown("speed".to_owned()))),
        ]
    }

    #[test]
    fn no_error_says_what_its_source_says() {
        strata_testing::no_error_repeats_its_source(&with_a_source());
    }
}
