use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;
use strata_cache::{ErrorChain, Tasks};
use strata_demo::{Site, trace};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::demo::Demo;
use super::signals::on_signal;
use crate::config::Settings;

/// Runs `strata demo` until a signal, or with `--once` until the trace has been replayed.
///
/// # Errors
/// Where something that it needs cannot be had.
pub async fn run_demo(settings: Settings) -> anyhow::Result<()> {
    if let Some(path) = &settings.trace {
        File::open(path).with_context(|| format!("failed to open the trace {}", path.display()))?;
    }
    let shutdown = CancellationToken::new();
    let tasks = Tasks::new(shutdown.clone());
    let _signals =
        on_signal(&tasks, settings.serving.stop_timeout).context("failed to listen for signals")?;
    // First, so that an address in use is known before the database is seeded.
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("failed to listen on {}", settings.listen))?;
    let listening = listener.local_addr()?;
    let starting = Demo::start_among(&tasks, &settings, listening);
    let Some(demo) = shutdown.run_until_cancelled(starting).await else { return Ok(()) };
    let demo = demo?;
    announce(&format!("Strata is at http://{listening}{}", settings.base_path));
    let replay = settings
        .trace
        .is_some()
        .then(|| tokio::spawn(replay(demo.site().clone(), settings.clone(), shutdown.clone())));
    demo.serve(listener).await;
    demo.stop().await;
    match replay {
        Some(replay) => replay.await?,
        None => Ok(()),
    }
}

/// Replays the trace and prints its totals; with `--once` that ends the program, also when the
/// replay fails.
async fn replay(site: Site, settings: Settings, shutdown: CancellationToken) -> anyhow::Result<()> {
    let path = settings.trace.as_deref().unwrap_or(Path::new(""));
    info!(path = %path.display(), "replaying the trace");
    let (file, rate, end) = (path.to_owned(), settings.rate_per_s, shutdown.clone());
    // A task of its own, so that its panic is a failure like any other.
    let replaying = tokio::spawn(async move { trace::replay(&file, &site, rate, end).await });
    let result = match replaying.await {
        Err(broken) => Err(anyhow::anyhow!("failed to replay the trace: {broken}")),
        Ok(Ok(totals)) => {
            announce(&totals.to_string());
            Ok(())
        }
        Ok(Err(error)) => Err(anyhow::anyhow!("failed to {}", ErrorChain(&error))),
    };
    if settings.once {
        shutdown.cancel();
        return result;
    }
    // The dashboard stays up, so the failure must be told now.
    if let Err(error) = result {
        error!("{error}");
    }
    Ok(())
}

/// Writes a line to standard output, for people and scripts that wait for it. A closed output is no
/// error. Logs go to standard error.
pub fn announce(text: &str) {
    let mut out = io::stdout().lock();
    let _: io::Result<()> = writeln!(out, "{text}").and_then(|()| out.flush());
}
