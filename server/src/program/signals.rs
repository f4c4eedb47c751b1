use std::process::exit;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;
use std::{fs, io, thread};

use strata_cache::Tasks;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{info, warn};

use crate::log;

/// What a shell calls the end by a second signal.
const SECOND_SIGNAL: i32 = 130;
/// What is not done in time has failed.
const OUT_OF_TIME: i32 = 1;

/// What it takes to hear them.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where whoever started the program wants it to outlive the terminal.
    hangup: Option<Signal>,
    /// Heard and left alone: a log or a database that may not grow further (`ulimit -f`) then fails to
    /// be written, and does not end the program.
    _too_large_file: Signal,
    shutdown: CancellationToken,
    stop_timeout: Duration,
}

/// Ends the tasks at the first SIGINT, SIGTERM or SIGHUP; a second one ends the program at once,
/// and so does a stop that takes longer than `stop_timeout`. For as long as what is returned is
/// kept.
///
/// # Errors
/// When signals cannot be listened for.
pub(crate) fn on_signal(tasks: &Tasks, stop_timeout: Duration) -> io::Result<DropGuard> {
    let hangup = (!is_hangup_ignored()).then(|| signal(SignalKind::hangup())).transpose()?;
    let signals = Arc::new(Mutex::new(Signals {
        interrupt: signal(SignalKind::interrupt())?,
        terminate: signal(SignalKind::terminate())?,
        hangup,
        _too_large_file: signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?,
        shutdown: tasks.shutdown().clone(),
        stop_timeout,
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
        let shutdown = self.shutdown.clone();
        tokio::select! {
            () = shutdown.cancelled() => {}
            name = self.next() => {
                shutdown.cancel();
                info!(signal = name, "stopping");
            }
        }
        limit_stop(self.stop_timeout, || exit(OUT_OF_TIME));
        let name = self.next().await;
        warn!(signal = name, "stopping without waiting");
        log::flush();
        exit(SECOND_SIGNAL);
    }

    async fn next(&mut self) -> &'static str {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = hangup => "SIGHUP",
        }
    }
}

/// Calls `end` after that time. On a thread of its own, because what holds up the stop may hold up
/// every task.
fn limit_stop(stop_timeout: Duration, end: impl FnOnce() + Send + 'static) {
    thread::spawn(move || {
        // Nothing is ever sent: this only waits, and takes no task's time.
        let (_nothing, coming) = channel::<()>();
        let _ = coming.recv_timeout(stop_timeout);
        let limit_s = stop_timeout.as_secs();
        warn!(limit_s, "stopping took too long; what is not done is given up");
        log::flush();
        end();
    });
}

/// As under `nohup`. A handler of our own would end the program all the same.
fn is_hangup_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_signals(&status) & 1 != 0
}

/// The lowest bit is signal 1, SIGHUP.
fn ignored_signals(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_that_hangs_is_ended_after_its_time() {
        let (ended, is_ended) = channel();
        limit_stop(Duration::from_millis(1), move || ended.send(()).unwrap());
        is_ended.recv_timeout(Duration::from_secs(20)).unwrap();
    }

    #[test]
    fn signals_that_are_ignored_are_read_from_the_status() {
        let status = "Name:\tstrata\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n";
        assert_eq!(ignored_signals(status), 0x1001);
        assert_eq!(ignored_signals("Name:\tstrata\n"), 0);
    }
}
