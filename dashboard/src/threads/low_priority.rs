//! Threads that give way to all others of the program: anonymous pages are drawn on them, so that reads
//! of the service find a processor at once.

use std::future::Future;
use std::io;
use std::sync::OnceLock;

use rustix::process::setpriority_process;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

/// As little of a busy processor as the kernel knows; an idle one is theirs.
const NICENESS: i32 = 19;

/// Enough for the anonymous requests that run at the same time.
const N_THREADS: usize = 2;

/// They live as long as the program, so nothing waits for their end.
static THREADS: OnceLock<Option<Runtime>> = OnceLock::new();

/// Does the work on such a thread, or here where none can be started. It ends when this is dropped.
pub(crate) async fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let Some(threads) = handle() else { return work.await };
    match AbortOnDropHandle::new(threads.spawn(work)).await {
        Ok(done) => done,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        // Only the drop above ends it before its time, and then nobody waits.
        Err(_) => std::future::pending().await,
    }
}

/// These threads; `None` where none can be started.
pub(crate) fn handle() -> Option<&'static Handle> {
    THREADS.get_or_init(start).as_ref().map(Runtime::handle)
}

fn start() -> Option<Runtime> {
    let threads = Builder::new_multi_thread()
        .worker_threads(N_THREADS)
        .thread_name("low-priority")
        .on_thread_start(|| {
            // On Linux it is the calling thread's own. Without it they are threads like others.
            if let Err(error) = setpriority_process(None, NICENESS) {
                warn!(%error, "failed to lower the priority of a thread");
            }
        })
        .enable_all()
        .build();
    threads.inspect_err(|error: &io::Error| warn!(%error, "failed to start threads")).ok()
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[tokio::test]
    async fn anonymous_work_gives_way_to_all_other_threads() {
        let here = getpriority_process(None).unwrap();
        assert_eq!(run(async { getpriority_process(None).unwrap() }).await, NICENESS);
        assert_eq!(getpriority_process(None).unwrap(), here);
        let blocking = run(async {
            tokio::task::spawn_blocking(|| getpriority_process(None).unwrap()).await.unwrap()
        });
        assert_eq!(blocking.await, NICENESS, "and so do the threads that it starts");
    }

    #[tokio::test]
    #[should_panic(expected = "drawn")]
    async fn a_panic_there_is_a_panic_here() {
        run(async { std::panic::panic_any("drawn") }).await
    }
}
