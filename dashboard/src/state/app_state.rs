use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRef;
use prometheus::Registry;
use strata_app::{ApplicationPage, PageFiles};
use strata_console::{Console, PeerLimit};
#[cfg(feature = "lab")]
use strata_lab::Lab;
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{Attention, Snapshots};
use crate::assets::page_files;

/// What every handler of the dashboard may ask for. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Parts>);

/// What an [`AppState`] is made of.
pub(crate) struct Parts {
    /// What is shown and done.
    pub(crate) console: Console,
    /// The lab, where the program has one.
    #[cfg(feature = "lab")]
    pub(crate) lab: Option<Arc<Lab>>,
    /// What `/metrics` says.
    pub(crate) registry: Registry,
    /// What else the program depends on.
    pub(crate) needs: Needs,
    /// The event streams that are open.
    pub(crate) streams: Arc<PeerLimit>,
    /// What event streams begin with.
    pub(crate) snapshots: Snapshots,
    /// The files of the pages; `None` where the program was built without them.
    pub(crate) files: Option<PageFiles>,
    /// Ends the event streams.
    pub(crate) shutdown: CancellationToken,
    /// Who is told that somebody looks, where nodes are elsewhere.
    pub(crate) attention: Option<Arc<Attention>>,
    /// What the pages say of the application around the dashboard, where there is one.
    pub(crate) application: Option<ApplicationPage>,
    /// How often that application is asked again who reads a stream, where there is one.
    pub(crate) access_rechecked_every: Option<Duration>,
    /// Ends the console's tasks with the last clone of the state, where nothing else does.
    pub(crate) _end: Option<DropGuard>,
}

impl Parts {
    /// Of a console alone, with the files of the program.
    pub(crate) fn of(
        console: Console,
        registry: Registry,
        streams: Arc<PeerLimit>,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            console,
            #[cfg(feature = "lab")]
            lab: None,
            registry,
            needs: Needs::default(),
            streams,
            snapshots: Snapshots::default(),
            files: page_files(),
            shutdown,
            attention: None,
            application: None,
            access_rechecked_every: None,
            _end: None,
        }
    }
}

/// What the program depends on beside its nodes, for the answer whether it is ready.
#[derive(Clone, Default)]
pub struct Needs {
    /// Asks the database whether it answers, where the program has one.
    pub database: Option<Probe>,
    /// The process id of the private Redis, where there is one.
    pub redis_pid: Option<watch::Receiver<Option<u32>>>,
}

/// Asks whether something answers.
pub type Probe = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

impl AppState {
    /// Of these parts.
    pub(crate) fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }
}

impl std::ops::Deref for AppState {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<AppState> for Console {
    fn from_ref(state: &AppState) -> Self {
        state.console.clone()
    }
}
