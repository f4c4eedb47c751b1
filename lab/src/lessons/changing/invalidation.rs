use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::stack::Call;
use crate::strategies::StrategyKind;

const TEN_MINUTES_MS: u64 = 600_000;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "invalidation",
    title: "Invalidation by hand",
    idea: [
        "A writer invalidates the item, so nobody waits until it expires.",
        "There are three steps: commit, forget in L2, forget in L1.",
        "In another order a reader in between brings the old item back.",
    ],
    question: Question {
        text: "In which order does no later reader get the old item?",
        answers: &[
            "Forget in L2 and L1, then commit",
            "Commit, forget in L1, then in L2",
            "Commit, forget in L2, then in L1",
        ],
        right: 2,
    },
    watch_for: "Stale reads: which reader in between brings the old item back, and from where.",
    learned: "Without invalidation an item stays old until it expires. Forgotten before the \
              commit, it is loaded from the old row by a reader in between; dropped from L1 first, \
              it is taken from the old L2. In the right order none of these readers gets it old.",
    variants: &[
        Variant { title: "Commit, L2, L1", ..Variant::of(StrategyKind::CacheAside) },
        Variant::of(StrategyKind::WaitForExpiry),
        Variant::of(StrategyKind::ForgetFirst),
        Variant::of(StrategyKind::L1First),
    ],
    settings: || Settings {
        requests: 0,
        time_to_live_ms: TEN_MINUTES_MS,
        l2_time_to_live_ms: TEN_MINUTES_MS,
        source_delay_ms: 0,
        ..Settings::default()
    },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("Item 1 is read, changed, and read again.").await?;
    sandbox.read(1, 1).await?;
    sandbox.write(1, 1).await?;
    sandbox.read(1, 1).await?;

    sandbox
        .step("Item 2 is cached. Its writer is held up before the commit; a reader asks.")
        .await?;
    sandbox.read(1, 2).await?;
    let writer = sandbox.write_until(Call::Commit, 1, 2).await?;
    sandbox.read(1, 2).await?;

    sandbox.step("The writer goes on. The next reader asks for item 2.").await?;
    writer.go_on().await?;
    sandbox.read(1, 2).await?;

    sandbox
        .step("Item 3 is cached. Who drops L1 first is held up before L2; a reader asks.")
        .await?;
    sandbox.read(1, 3).await?;
    let writer = sandbox.write_until(Call::Remove, 1, 3).await?;
    sandbox.read(1, 3).await?;

    sandbox.step("The writer goes on. The next reader asks for item 3.").await?;
    writer.go_on().await?;
    sandbox.read(1, 3).await?;
    Ok(())
}
