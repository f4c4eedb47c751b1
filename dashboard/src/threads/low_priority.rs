//! Threads that give way to all others of the program: anonymous requests are answered on them, so that
//! reads of the service find a processor at once.

use std::future::Future;
use std::io;
use std::sync::OnceLock;

use rustix::process::setpriority_process;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
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
    // Taken here, since threads that these start begin with what theirs have.
    let processors = sched_getaffinity(None).map(|allowed| last_half(&allowed));
    let threads = Builder::new_multi_thread()
        .worker_threads(N_THREADS)
        .thread_name("low-priority")
        .on_thread_start(move || {
            if let Err(error) = give_way(processors) {
                warn!(%error, "failed to lower the priority of a thread");
            }
        })
        .enable_all()
        .build();
    threads.inspect_err(|error: &io::Error| warn!(%error, "failed to start threads")).ok()
}

/// Makes the calling thread one of these. Whatever of it fails, the thread is one like others in that.
fn give_way(processors: rustix::io::Result<CpuSet>) -> rustix::io::Result<()> {
    // On Linux it is the calling thread's own.
    let lowered = setpriority_process(None, NICENESS);
    // The kernel lets a thread end its turn, which takes up to 4 ms, before one of a higher priority
    // gets its processor. So the other half of them is the service's alone.
    sched_setaffinity(None, &processors?)?;
    lowered
}

/// The last half of these processors, and at least one.
fn last_half(allowed: &CpuSet) -> CpuSet {
    let n = (allowed.count() / 2).max(1) as usize;
    let mut half = CpuSet::new();
    let last = (0..CpuSet::MAX_CPU).rev().filter(|cpu| allowed.is_set(*cpu)).take(n);
    last.for_each(|cpu| half.set(cpu));
    half
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

    fn processors(of: &[usize]) -> CpuSet {
        let mut set = CpuSet::new();
        of.iter().for_each(|cpu| set.set(*cpu));
        set
    }

    #[test]
    fn half_of_the_processors_that_the_program_may_use_are_the_services_alone() {
        let cases: [(&[usize], &[usize]); 4] =
            [(&[0, 1], &[1]), (&[2, 5, 7, 9], &[7, 9]), (&[0, 1, 2], &[2]), (&[3], &[3])];
        for (allowed, half) in cases {
            assert!(last_half(&processors(allowed)) == processors(half), "{allowed:?}");
        }
    }

    #[tokio::test]
    async fn anonymous_work_stays_on_its_half_of_the_processors() {
        let here = sched_getaffinity(None).unwrap();
        let there = run(async { sched_getaffinity(None).unwrap() }).await;
        assert!(there == last_half(&here));
        let deeper = run(async {
            tokio::task::spawn_blocking(|| sched_getaffinity(None).unwrap()).await.unwrap()
        });
        assert!(deeper.await == there, "and so do the threads that it starts");
        assert!(sched_getaffinity(None).unwrap() == here);
    }

    #[tokio::test]
    #[should_panic(expected = "drawn")]
    async fn a_panic_there_is_a_panic_here() {
        run(async { std::panic::panic_any("drawn") }).await
    }
}
