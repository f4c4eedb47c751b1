use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::Semaphore;

use super::run::Run;
use super::stage::Place;
use super::{LabError, Settings};
use crate::lessons::Lesson;

/// Starts experiments. Several may run at once; none meets another, nor anything else in the same
/// Redis.
#[derive(Debug)]
pub struct Lab {
    redis_url: Option<String>,
    slots: Arc<Semaphore>,
    /// Tells this process's namespaces from those of others in the same Redis.
    origin: String,
    n_started: AtomicU64,
}

impl Lab {
    /// Experiments that may run at once.
    pub const MAX_RUNS: usize = 4;

    /// A lab on the Redis at this address, or without one.
    pub fn new(redis_url: Option<&str>) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            redis_url: redis_url.map(str::to_owned),
            slots: Arc::new(Semaphore::new(Self::MAX_RUNS)),
            origin: format!("lab-{:x}-{:x}", std::process::id(), now.as_nanos()),
            n_started: AtomicU64::new(0),
        }
    }

    /// Starts a lesson with these settings. It goes on until it ends, or until the run that is
    /// answered is stopped or dropped. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// When the settings make no sense, as many as possible are running, or it needs Redis.
    pub fn start(&self, lesson: &'static Lesson, settings: Settings) -> Result<Run, LabError> {
        settings.check()?;
        let needs_redis =
            settings.nodes > 1 || lesson.strategies.iter().any(|kind| kind.needs_redis());
        if needs_redis && self.redis_url.is_none() {
            return Err(LabError::NeedsRedis);
        }
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let slot = slot.map_err(|_| LabError::Busy(Self::MAX_RUNS))?;
        let number = self.n_started.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("{}-{number:x}", self.origin);
        let place = Place { namespace, redis_url: self.redis_url.clone() };
        Ok(Run::start(lesson, settings, place, slot))
    }
}
