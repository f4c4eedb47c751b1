use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

const TICK: Duration = Duration::from_millis(1);

/// A task that ticks each millisecond.
pub(crate) struct Ticker {
    stop: oneshot::Sender<()>,
    ticking: JoinHandle<Gaps>,
}

/// The worst gaps between two ticks.
#[derive(Clone, Copy, Default)]
pub(crate) struct Gaps {
    pub(crate) all: Duration,
    /// Without the time in which other processes had the processor.
    pub(crate) own: Duration,
}

impl Ticker {
    pub(crate) fn start() -> Self {
        let (stop, mut stopped) = oneshot::channel();
        let ticking = tokio::spawn(async move {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let (mut last, mut worst) = ((Instant::now(), waited()), Gaps::default());
            while stopped.try_recv().is_err() {
                ticks.tick().await;
                let now = (Instant::now(), waited());
                let gap = now.0 - last.0;
                worst.all = worst.all.max(gap);
                worst.own = worst.own.max(gap.saturating_sub(now.1 - last.1));
                last = now;
            }
            worst
        });
        Self { stop, ticking }
    }

    pub(crate) async fn worst_gaps(self) -> Gaps {
        self.stop.send(()).expect("the ticker runs");
        self.ticking.await.expect("the worst gaps")
    }
}

/// How long this thread was ready while other processes had the processor, as Linux counts it.
pub(crate) fn waited() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = stat.split_whitespace().nth(1).and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.unwrap_or(0))
}
