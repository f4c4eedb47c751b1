use std::time::Duration;

use tokio::time::{Instant, sleep};

const PATIENCE: Duration = Duration::from_secs(10);

/// Asks until the answer is yes; an error where it never is.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) -> super::Done {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        if Instant::now() > deadline {
            return Err(format!("not within {PATIENCE:?}: {what}").into());
        }
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
