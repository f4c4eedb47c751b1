//! Long work on a thread of the runtime, in slices, so that other tasks do not wait for it.

use std::future::Future;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::user_code::contained;

/// Yields to the runtime after each slice.
///
/// The caller defines the steps, such as one entry of a walk. Dropping the future between two steps
/// leaves no step half done.
pub(crate) struct Slices {
    began: Instant,
    n_steps: u32,
    busy: Duration,
}

impl Slices {
    /// The longest time of one slice, as long as steps are short. The clock is read after each
    /// step, because a removal from moka may rebuild one of its tables, which takes milliseconds.
    /// The slice must end after such a step.
    const LONGEST: Duration = Duration::from_micros(500);
    const MAX_STEPS: u32 = 4_096;

    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), n_steps: 0, busy: Duration::ZERO }
    }

    /// Ends one step, and yields if the slice is over.
    pub(crate) async fn stepped(&mut self) {
        self.n_steps += 1;
        if self.is_over() {
            self.yield_now().await;
        }
    }

    fn is_over(&self) -> bool {
        self.n_steps >= Self::MAX_STEPS || self.began.elapsed() >= Self::LONGEST
    }

    /// Ends the slice here.
    pub(crate) async fn yield_now(&mut self) {
        self.busy += self.began.elapsed();
        tokio::task::yield_now().await;
        (self.began, self.n_steps) = (Instant::now(), 0);
    }

    /// The total time of the slices so far, without the pauses in between.
    pub(crate) fn busy(&self) -> Duration {
        self.busy + self.began.elapsed()
    }
}

tokio::task_local! {
    /// How long the walks of this task may be busy.
    static BUDGET: WalkBudget;
}

struct WalkBudget {
    most: Duration,
    ran_out: AtomicBool,
}

impl WalkBudget {
    /// Whether a walk that was busy for so long must end here.
    fn is_spent(busy: Duration) -> bool {
        let is_spent = |budget: &Self| {
            let is_spent = busy >= budget.most;
            budget.ran_out.fetch_or(is_spent, Ordering::Relaxed);
            is_spent
        };
        BUDGET.try_with(is_spent).unwrap_or(false)
    }
}

/// Runs what walks, each walk until it was busy for so long. Says whether any ended before its time.
#[cfg_attr(
    not(any(feature = "fleet", test)),
    expect(dead_code, reason = "consoles elsewhere have budgets")
)]
pub(crate) async fn within<T>(most: Duration, walks: impl Future<Output = T>) -> (T, bool) {
    let walking = async {
        let answer = walks.await;
        let ran_out = BUDGET.with(|budget| budget.ran_out.load(Ordering::Relaxed));
        (answer, ran_out)
    };
    BUDGET.scope(WalkBudget { most, ran_out: AtomicBool::new(false) }, walking).await
}

/// The result of a walk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WalkStats {
    /// How long it was busy.
    pub(crate) busy: Duration,
    /// The number of items skipped because their code panicked.
    pub(crate) n_panics: u64,
}

/// Walks over items in slices. Skips an item if its own code panics.
pub(crate) async fn walk<T>(
    items: impl Iterator<Item = T>,
    mut visit: impl FnMut(T) -> ControlFlow<()>,
) -> WalkStats {
    let (mut items, mut slices, mut n_panics) = (items, Slices::new(), 0);
    loop {
        match contained(|| items.next().map(&mut visit)) {
            Some(None | Some(ControlFlow::Break(()))) => {
                return WalkStats { busy: slices.busy(), n_panics };
            }
            Some(Some(ControlFlow::Continue(()))) => {}
            None => n_panics += 1,
        }
        slices.stepped().await;
        // Once a slice, so that no step costs more.
        if slices.n_steps == 0 && WalkBudget::is_spent(slices.busy) {
            return WalkStats { busy: slices.busy, n_panics };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    /// Polls to the end. Returns the number of polls.
    fn n_polls(work: impl Future) -> u32 {
        let (mut work, mut n) = (pin!(work), 0);
        // `yield_now` outside a runtime wakes at once.
        loop {
            n += 1;
            if work.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                return n;
            }
        }
    }

    #[tokio::test]
    async fn a_walk_with_a_budget_ends_when_it_is_spent_and_says_so() {
        let mut n = 0;
        let endless = walk(std::iter::repeat(()), |()| {
            n += 1;
            ControlFlow::Continue(())
        });
        let (walked, ran_out) = within(Duration::from_millis(5), endless).await;
        assert!(ran_out && n > 0 && walked.busy >= Duration::from_millis(5));
        let short = walk(0..10, |_| ControlFlow::Continue(()));
        assert!(!within(Duration::from_secs(60), short).await.1);
    }

    #[test]
    fn a_walk_gives_the_thread_back_after_each_slice() {
        let mut n = 0;
        let polls = n_polls(walk(0..100_000, |_| {
            n += 1;
            ControlFlow::Continue(())
        }));
        assert_eq!(n, 100_000);
        assert!(polls > 100_000 / Slices::MAX_STEPS, "{polls}");
    }

    #[test]
    fn slow_steps_make_short_slices() {
        let visit = |_| {
            let began = Instant::now();
            while began.elapsed() < Duration::from_micros(100) {}
            ControlFlow::Continue(())
        };
        let polls = n_polls(walk(0..320, visit));
        assert!(polls > 10, "{polls}");
    }

    #[test]
    fn nothing_follows_a_step_that_took_long() {
        let long = [2, 3, 7];
        let visit = |n| {
            let began = Instant::now();
            while long.contains(&n) && began.elapsed() < Slices::LONGEST {}
            ControlFlow::Continue(())
        };
        let polls = n_polls(walk(0..9, visit));
        assert!(polls > 3, "{polls}");
    }

    #[test]
    fn an_item_that_panics_is_passed_over() {
        let mut seen = Vec::new();
        let visit = |n| {
            assert!(n != 2, "cannot be looked at");
            seen.push(n);
            if n == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        n_polls(walk(0..9, visit));
        assert_eq!(seen, [0, 1, 3, 4]);
    }
}
