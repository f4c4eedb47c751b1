use std::time::Duration;

use strata_lab::{Phase, Run};
use tokio::time::{Instant, sleep, timeout};

/// A visitor who pressed a button waits a moment rather than see a page that has not changed yet.
const MOMENT: Duration = Duration::from_millis(900);
const POLL: Duration = Duration::from_millis(15);

/// Waits for a moment for a run to end.
pub(super) async fn until_ended(run: &Run) {
    // One that goes on is watched from its page.
    let _ = timeout(MOMENT, run.ended()).await;
}

/// Waits a moment until the step after the first `played` ones has run.
pub(super) async fn until_played(run: &Run, played: usize) {
    let deadline = Instant::now() + MOMENT;
    while run.phase() == Phase::Running && Instant::now() < deadline {
        if run.state().await.next_step.is_some_and(|next| next.played > played) {
            return;
        }
        sleep(POLL).await;
    }
}
