use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

async fn until(tasks: &Tasks, is_so: impl Fn(&TaskReport) -> bool) -> TaskReport {
    loop {
        if let Some(report) = tasks.report().into_iter().find(|report| is_so(report)) {
            return report;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Panics the first `n_panics` times it is started, then runs for ever.
fn panicking(n_panics: u32) -> impl FnMut() -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    let starts = Arc::new(AtomicU32::new(0));
    move || {
        let start = starts.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            assert!(start >= n_panics, "start {start}");
            std::future::pending().await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_is_counted_and_starts_again() {
    let tasks = Tasks::new(CancellationToken::new());
    tasks.spawn("upkeep", panicking(3));
    let report = until(&tasks, |task| task.panics == 3 && task.runs()).await;
    assert_eq!(report.failure.as_deref(), Some("it panicked: start 2"));
    assert!(report.failed_at_ms.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_returns_before_its_time_is_counted_and_starts_again() {
    let tasks = Tasks::new(CancellationToken::new());
    tasks.spawn("bus", || async {});
    let report = until(&tasks, |task| task.ends >= 2).await;
    assert_eq!(report.failure.as_deref(), Some("it ended before its time"));
}

#[tokio::test(start_paused = true)]
async fn making_a_task_may_panic_as_well() {
    let tasks = Tasks::new(CancellationToken::new());
    let mut made = 0;
    tasks.spawn("bus", move || {
        made += 1;
        assert!(made > 1, "cannot be made");
        std::future::pending()
    });
    let report = until(&tasks, |task| task.panics == 1 && task.runs()).await;
    assert_eq!(report.failure.as_deref(), Some("it panicked: cannot be made"));
}

#[tokio::test(start_paused = true)]
async fn the_pause_grows_with_each_failure() {
    let tasks = Tasks::new(CancellationToken::new());
    tasks.spawn("bus", || async {});
    tokio::time::sleep(Duration::from_secs(100)).await;
    let n_ends = tasks.report()[0].ends;
    assert!((8..=24).contains(&n_ends), "{n_ends}");
    let report = tasks.report().remove(0);
    assert!(report.failing_since_ms <= report.failed_at_ms, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_done_is_reported_no_more() {
    let tasks = Tasks::new(CancellationToken::new());
    tasks.spawn_until_done("flusher", || async {});
    while !tasks.report().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_drops_a_task_where_it_stands() {
    let (shutdown, dropped) = (CancellationToken::new(), CancellationToken::new());
    let tasks = Tasks::new(shutdown.clone());
    let guard = dropped.clone();
    tasks.spawn("bus", move || {
        let guard = guard.clone().drop_guard();
        async move {
            let _guard = guard;
            std::future::pending().await
        }
    });
    until(&tasks, TaskReport::runs).await;
    shutdown.cancel();
    dropped.cancelled().await;
    while !tasks.report().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[test]
fn a_runtime_that_is_dropped_after_shutdown_is_no_failure() {
    let tasks = Tasks::new(CancellationToken::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        tasks.spawn("bus", std::future::pending::<()>);
        until(&tasks, TaskReport::runs).await
    });
    tasks.shutdown().cancel();
    drop(runtime);
    assert_eq!(tasks.report(), []);
}

#[test]
fn a_dropped_runtime_is_reported() {
    let tasks = Tasks::new(CancellationToken::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        tasks.spawn("bus", std::future::pending::<()>);
        until(&tasks, TaskReport::runs).await
    });
    drop(runtime);
    let report = tasks.report().remove(0);
    assert_eq!(report.state, TaskState::RuntimeGone);
    assert_eq!(report.failure.as_deref(), Some("the runtime that it ran on was dropped"));
}
