use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strata_cache::ErrorChain;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::generated::GENERATED;
use super::{Curve, Recording, RecordingError};

/// Recordings that can be picked: some that are made up, the one the program was started with, and
/// the newest uploads. All of it in memory.
pub struct TraceStore {
    file: Option<PathBuf>,
    /// Made or read when somebody first asks.
    shipped: Mutex<Vec<Arc<StoredTrace>>>,
    /// The newest first.
    uploads: Mutex<VecDeque<Arc<StoredTrace>>>,
    /// One upload is unpacked at a time.
    reading: Arc<Semaphore>,
    /// One curve is measured at a time.
    measuring: Arc<Semaphore>,
    stop: CancellationToken,
    _end: DropGuard,
}

/// A recording, and what its curve came to.
pub struct StoredTrace {
    /// The recording.
    pub recording: Recording,
    curve: Mutex<CurveState>,
}

/// How far a curve has come.
#[derive(Clone, Debug)]
pub enum CurveState {
    /// Nobody has asked for it.
    Awaited,
    /// It is being measured, or waits for others.
    Measuring,
    /// It is measured.
    Done(Arc<Curve>),
    /// It could not be; the text fits after "failed to".
    Failed(String),
}

/// A recording that everybody can pick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSummary {
    /// Its name in addresses.
    pub id: String,
    /// Its name on a screen.
    pub title: String,
    /// What it is.
    pub what: String,
}

impl TraceStore {
    /// Uploads that are kept. Another one pushes the oldest out.
    pub const MAX_UPLOADS: usize = 8;
    /// The name in addresses of the one that the program was started with.
    const FILE_ID: &'static str = "replayed";

    /// A store with what is made up and, where there is one, the trace in a file.
    pub fn new(file: Option<PathBuf>) -> Self {
        let stop = CancellationToken::new();
        Self {
            file,
            shipped: Mutex::default(),
            uploads: Mutex::default(),
            reading: Arc::new(Semaphore::new(1)),
            measuring: Arc::new(Semaphore::new(1)),
            _end: stop.clone().drop_guard(),
            stop,
        }
    }

    /// What everybody can pick. Who uploaded something has its name.
    pub fn list(&self) -> Vec<TraceSummary> {
        let file = self.file.as_ref().map(|path| TraceSummary {
            id: Self::FILE_ID.to_owned(),
            title: "The trace that is replayed".to_owned(),
            what: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        });
        file.into_iter().chain(GENERATED.iter().map(|generated| generated.summary())).collect()
    }

    /// The recording of this name; `None` where there is none, or no longer.
    ///
    /// # Errors
    /// Where the file cannot be read that the program was started with.
    pub async fn find(&self, id: &str) -> Result<Option<Arc<StoredTrace>>, RecordingError> {
        let is_it = |stored: &&Arc<StoredTrace>| stored.recording.id == id;
        let there = locked(&self.shipped).iter().find(is_it).cloned();
        if let Some(found) = there.or_else(|| locked(&self.uploads).iter().find(is_it).cloned()) {
            return Ok(Some(found));
        }
        let path = self.file.clone().filter(|_| id == Self::FILE_ID);
        let generated = GENERATED.iter().find(|generated| generated.id == id);
        let make = move || match (path, generated) {
            (Some(path), _) => {
                let title = "The trace that is replayed";
                let recording = Recording::of_file(title, &path)?;
                Ok(Some(Recording { id: Self::FILE_ID.to_owned(), ..recording }))
            }
            (None, made_up) => Ok(made_up.map(|generated| generated.make())),
        };
        let recording = self.alone(make).await?;
        Ok(recording.map(|recording| self.ship(recording)))
    }

    /// Keeps what somebody sent, plain or gzip, one key a line. Sent again it is the same one.
    ///
    /// # Errors
    /// Where it is anything else, or too large. Nothing is kept of it then.
    pub async fn put(
        &self,
        title: &str,
        bytes: Vec<u8>,
    ) -> Result<Arc<StoredTrace>, RecordingError> {
        let title = title.to_owned();
        let recording = self.alone(move || Recording::of_upload(&title, bytes)).await?;
        let mut uploads = locked(&self.uploads);
        let there = uploads.iter().position(|kept| kept.recording.id == recording.id);
        let kept = there.and_then(|at| uploads.remove(at));
        let kept = kept.unwrap_or_else(|| StoredTrace::of(recording));
        uploads.push_front(Arc::clone(&kept));
        uploads.truncate(Self::MAX_UPLOADS);
        Ok(kept)
    }

    /// How far its curve has come. Begins to measure it when it is asked for the first time. Must
    /// be called within a Tokio runtime.
    pub fn curve(&self, stored: &Arc<StoredTrace>) -> CurveState {
        let mut curve = locked(&stored.curve);
        if matches!(*curve, CurveState::Awaited) {
            *curve = CurveState::Measuring;
            let (stored, stop) = (Arc::clone(stored), self.stop.clone());
            let measuring = Arc::clone(&self.measuring);
            tokio::spawn(stop.run_until_cancelled_owned(async move {
                let _alone = measuring.acquire_owned().await;
                let measured = Arc::clone(&stored);
                // On a task of its own, so that a panic ends the waiting too.
                let mut measure = JoinSet::new();
                measure.spawn(async move { Curve::measure(&measured.recording).await });
                let measured = measure.join_next().await;
                *locked(&stored.curve) = match measured {
                    Some(Ok(Ok(curve))) => CurveState::Done(Arc::new(curve)),
                    Some(Ok(Err(error))) => CurveState::Failed(ErrorChain(&error).to_string()),
                    Some(Err(_)) | None => {
                        CurveState::Failed("measure it: that panicked".to_owned())
                    }
                };
            }));
        }
        curve.clone()
    }

    /// Ends what is being measured.
    pub fn shutdown(&self) {
        self.stop.cancel();
    }

    async fn alone<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> Result<T, RecordingError> + Send + 'static,
    ) -> Result<T, RecordingError> {
        let alone = Arc::clone(&self.reading).acquire_owned().await;
        // Goes on when the caller is gone, and so keeps its turn.
        let reading = tokio::task::spawn_blocking(move || {
            let _alone = alone;
            read()
        });
        reading.await.unwrap_or(Err(RecordingError::Panicked))
    }

    // Two may have asked for it at once.
    fn ship(&self, recording: Recording) -> Arc<StoredTrace> {
        let mut shipped = locked(&self.shipped);
        let there = shipped.iter().find(|kept| kept.recording.id == recording.id).cloned();
        there.unwrap_or_else(|| {
            let stored = StoredTrace::of(recording);
            shipped.push(Arc::clone(&stored));
            stored
        })
    }
}

impl StoredTrace {
    fn of(recording: Recording) -> Arc<Self> {
        Arc::new(Self { recording, curve: Mutex::new(CurveState::Awaited) })
    }
}

impl std::fmt::Debug for StoredTrace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shelved").field("id", &self.recording.id).finish_non_exhaustive()
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
