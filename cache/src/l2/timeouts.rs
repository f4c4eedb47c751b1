use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// So many timeouts in a row lose the connection, though Redis answers on another.
const MAX_IN_A_ROW: u32 = 4;

/// Timeouts since the last answer. Calls that ran out of time together count as one: each of a
/// row was sent after the one before it had run out.
#[derive(Debug, Default)]
pub(super) struct Timeouts {
    /// So that an answer, as nearly all are, takes no lock.
    any: AtomicBool,
    row: Mutex<Row>,
}

#[derive(Debug, Default)]
struct Row {
    n: u32,
    last_at: Option<Instant>,
}

impl Timeouts {
    /// An answer came.
    pub(super) fn answered(&self) {
        if self.any.load(Ordering::Relaxed) {
            *self.row.lock().unwrap_or_else(PoisonError::into_inner) = Row::default();
            self.any.store(false, Ordering::Relaxed);
        }
    }

    /// A call that was sent then has run out of time. Says whether that is one too many.
    pub(super) fn is_one_too_many(&self, sent: Instant) -> bool {
        let mut row = self.row.lock().unwrap_or_else(PoisonError::into_inner);
        if row.last_at.is_none_or(|last| sent >= last) {
            *row = Row { n: row.n + 1, last_at: Some(Instant::now()) };
        }
        self.any.store(true, Ordering::Relaxed);
        row.n >= MAX_IN_A_ROW
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(100);

    async fn one_too_many(timeouts: &Timeouts) -> bool {
        let sent = Instant::now();
        tokio::time::advance(TIMEOUT).await;
        timeouts.is_one_too_many(sent)
    }

    #[tokio::test(start_paused = true)]
    async fn several_timeouts_in_a_row_are_too_many() {
        let timeouts = Timeouts::default();
        for _ in 1..MAX_IN_A_ROW {
            assert!(!one_too_many(&timeouts).await);
        }
        assert!(one_too_many(&timeouts).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_ends_the_row() {
        let timeouts = Timeouts::default();
        for _ in 0..3 * MAX_IN_A_ROW {
            assert!(!one_too_many(&timeouts).await);
            timeouts.answered();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_run_out_together_count_as_one() {
        let timeouts = Timeouts::default();
        let sent = Instant::now();
        tokio::time::advance(TIMEOUT).await;
        for _ in 0..100 {
            assert!(!timeouts.is_one_too_many(sent));
        }
    }
}
