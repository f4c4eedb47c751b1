use std::io;
use std::process::exit;
use std::sync::Arc;

use strata_cache::Tasks;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

/// What it takes to hear them.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    shutdown: CancellationToken,
}

/// Ends the tasks at the first SIGINT or SIGTERM; a second one ends the program at once. For as
/// long as what is returned is kept.
///
/// # Errors
/// When signals cannot be listened for.
pub(crate) fn on_signal(tasks: &Tasks) -> io::Result<DropGuard> {
    let signals = Arc::new(Mutex::new(Signals {
        interrupt: signal(SignalKind::interrupt())?,
        terminate: signal(SignalKind::terminate())?,
        shutdown: tasks.shutdown().clone(),
    }));
    // Goes on after the first, for the second.
    let end = CancellationToken::new();
    tasks.until(end.clone()).spawn_until_done("signals", move || {
        let signals = Arc::clone(&signals);
        async move { signals.lock().await.wait().await }
    });
    Ok(end.drop_guard())
}

impl Signals {
    async fn wait(&mut self) {
        if !self.shutdown.is_cancelled() {
            self.next().await;
            self.shutdown.cancel();
            info!("stopping");
        }
        self.next().await;
        warn!("stopping without waiting");
        exit(130);
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
