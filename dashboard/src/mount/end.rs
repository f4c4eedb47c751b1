use axum::Router;
use tokio::task::JoinHandle;

/// A dashboard that has been mounted.
#[derive(Debug)]
pub struct Mounted<S = ()> {
    /// Answers its requests.
    pub router: Router<S>,
    /// Tells when it has ended.
    pub end: DashboardEnd,
}

/// Tells when a dashboard has ended. Dropping it changes nothing.
#[derive(Debug)]
pub struct DashboardEnd(JoinHandle<()>);

impl DashboardEnd {
    /// What ends the dashboard's jobs, once it is told to stop.
    pub(super) fn new(ending: JoinHandle<()>) -> Self {
        Self(ending)
    }

    /// Waits until the token of [`until`](super::Dashboard::until) is cancelled or the last clone of
    /// the router is dropped, and then until begun invalidations have ended and the audit trail is in
    /// Redis. Invalidations have three seconds to end; those that run on are cancelled and have three
    /// seconds more. Redis has three. Await it before the nodes are shut down, which the audit trail needs.
    pub async fn finished(self) {
        // Where it panicked, there is nothing left to wait for.
        let _ = self.0.await;
    }
}
