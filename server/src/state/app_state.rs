use std::sync::Arc;

use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use prometheus::Registry;
use strata_console::{Console, PeerLimit};
use strata_demo::{Store, Traffic};
use strata_lab::Lab;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Sites, Snapshots};

/// What every handler may ask for. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState(Arc<Parts>);

/// What an [`AppState`] is made of.
pub(crate) struct Parts {
    pub(crate) console: Console,
    pub(crate) sites: Sites,
    pub(crate) store: Store,
    pub(crate) traffic: Traffic,
    pub(crate) lab: Arc<Lab>,
    pub(crate) registry: Registry,
    /// The process id of the private Redis, where there is one.
    pub(crate) redis_pid: Option<watch::Receiver<Option<u32>>>,
    /// The event streams that are open.
    pub(crate) streams: Arc<PeerLimit>,
    /// What event streams begin with.
    pub(crate) snapshots: Snapshots,
    pub(crate) leptos: LeptosOptions,
    pub(crate) shutdown: CancellationToken,
}

impl AppState {
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

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

impl FromRef<AppState> for Console {
    fn from_ref(state: &AppState) -> Self {
        state.console.clone()
    }
}
