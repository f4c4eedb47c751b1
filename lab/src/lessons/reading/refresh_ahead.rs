use std::sync::Arc;
use std::time::Duration;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Fault, Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

const N_LOADS: u64 = 3;
const N_READS: usize = 10;
const PAUSE: Duration = Duration::from_millis(5);
const MAX_READS: usize = 600;
const MAX_WAIT: Duration = Duration::from_secs(3);
const MARGIN: Duration = Duration::from_millis(300);

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "refresh-ahead",
    title: "Refresh ahead and fail-safe",
    idea: [
        "An entry expires, and the reader who comes next waits for the database.",
        "Refresh ahead loads it anew shortly before, in the background, while readers are served.",
        "Fail-safe keeps it for a grace period after, in case the database does not answer.",
    ],
    question: Question {
        text: "An entry has expired, and the database is away. What do readers get whose cache has a \
               grace period?",
        answers: &["An error", "Nothing, as if there were no item", "The old item"],
        right: 2,
    },
    watch_for: "Each row loads the item three times. \"Loaded\" is a reader who waited for it; a \
                refresh is a query that nobody waited for. Then failed reads against stale ones.",
    learned: "Without a refresh each load is a reader's wait. With refresh ahead the item is loaded \
              while readers get hits. Neither helps once an entry has expired and the database is \
              away: every read fails. With a grace period every reader gets the old item, and the \
              outcome says that it is stale.",
    variants: &[
        Variant { title: "Time to live alone", ..Variant::of(StrategyKind::CacheAside) },
        Variant {
            title: "Refresh ahead",
            change: |settings| settings.refresh_ahead = 10.0,
            ..Variant::of(StrategyKind::CacheAside)
        },
        Variant {
            title: "Grace period",
            change: |settings| settings.grace_ms = 600_000,
            ..Variant::of(StrategyKind::CacheAside)
        },
    ],
    settings: || Settings {
        requests: 0,
        time_to_live_ms: 800,
        l2_time_to_live_ms: 0,
        source_delay_ms: 20,
        ..Settings::default()
    },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("One reader asks for an item until it was loaded three times.").await?;
    for _ in 0..MAX_READS {
        sandbox.read(1, 1).await?;
        if sandbox.source().selects() >= N_LOADS {
            break;
        }
        sandbox.wait(PAUSE).await?;
    }

    sandbox.step("The database is cut off, and the entry expires. Readers ask for it.").await?;
    sandbox.inject(Fault::DatabaseAway)?;
    let life = Duration::from_millis(sandbox.settings().time_to_live_ms);
    sandbox.wait(life.min(MAX_WAIT) + MARGIN).await?;
    for _ in 0..N_READS {
        sandbox.read(1, 1).await?;
    }
    Ok(())
}
