use std::sync::Arc;
use std::time::Duration;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

const SHORT_MS: u64 = 200;
const LONG_MS: u64 = 60_000;
const A_MOMENT: Duration = Duration::from_millis(SHORT_MS + 100);
const N_CHANGES: usize = 3;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "time-to-live",
    title: "Time to live and jitter",
    idea: [
        "An entry expires some time after it was loaded, whether anybody tells the cache or not.",
        "A short time to live makes work, a long one old answers.",
        "What was loaded together expires together, unless jitter lets each entry expire a little \
         earlier than the next.",
    ],
    question: Question {
        text: "40 items are loaded at once. Each is to live 60 s, or by jitter down to half of \
               that. How many of them expire within the same second, at most?",
        answers: &["All 40", "About 20", "Fewer than 15"],
        right: 2,
    },
    watch_for: "Queries and stale reads of the short time to live against those of the long one. \
                Then the wave: how many entries expire within one second.",
    learned: "With a short time to live nothing is old for long, and every entry is loaded again \
              and again. With a long one the database rests, and each change goes unseen for as \
              long. Without jitter all that was loaded at once expires at once, and comes to the \
              database as a wave; jitter spreads it.",
    variants: &[
        Variant {
            title: "200 ms",
            strategy: StrategyKind::WaitForExpiry,
            change: |settings| lives(settings, SHORT_MS),
        },
        Variant {
            title: "60 s",
            strategy: StrategyKind::WaitForExpiry,
            change: |settings| lives(settings, LONG_MS),
        },
        Variant {
            title: "60 s, jitter 0.5",
            strategy: StrategyKind::WaitForExpiry,
            change: |settings| {
                lives(settings, LONG_MS);
                settings.jitter = 0.5;
            },
        },
    ],
    settings: || Settings { requests: 0, items: 40, source_delay_ms: 0, ..Settings::default() },
    script: |sandbox| Box::pin(script(sandbox)),
};

// Otherwise what has expired in L1 would come back from L2, as old as it was.
fn lives(settings: &mut Settings, ms: u64) {
    settings.time_to_live_ms = ms;
    settings.l2_time_to_live_ms = ms;
}

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("Every item is read. When will the entries expire?").await?;
    sandbox.expiry_peak(1).await?;

    sandbox.step("Three times an item changes, and somebody reads it a moment later.").await?;
    sandbox.read(1, 1).await?;
    for _ in 0..N_CHANGES {
        sandbox.write(1, 1).await?;
        sandbox.wait(A_MOMENT).await?;
        sandbox.read(1, 1).await?;
    }
    Ok(())
}
