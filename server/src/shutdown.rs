use std::io;
use std::process::exit;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Cancels `shutdown` at the first SIGINT or SIGTERM; a second one ends the program at once.
///
/// # Errors
/// When signals cannot be listened for.
pub(crate) fn on_signal(shutdown: CancellationToken) -> io::Result<()> {
    let interrupt = signal(SignalKind::interrupt())?;
    let terminate = signal(SignalKind::terminate())?;
    tokio::spawn(wait(interrupt, terminate, shutdown));
    Ok(())
}

async fn wait(mut interrupt: Signal, mut terminate: Signal, shutdown: CancellationToken) {
    either(&mut interrupt, &mut terminate).await;
    info!("stopping");
    shutdown.cancel();
    either(&mut interrupt, &mut terminate).await;
    warn!("stopping without waiting");
    exit(130);
}

async fn either(interrupt: &mut Signal, terminate: &mut Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
