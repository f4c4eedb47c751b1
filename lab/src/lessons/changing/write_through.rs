use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::stack::Call;
use crate::strategies::StrategyKind;

const N_ITEMS: u64 = 20;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "write-through",
    title: "Write-through",
    idea: [
        "A write goes to the database and into the cache in one call.",
        "The next read finds the new item without asking the database.",
        "The trap is two writers at once: they may commit in one order and set in the other.",
    ],
    question: Question {
        text: "20 items are read, changed and read again. How many queries does write-through save \
               against cache-aside?",
        answers: &["None", "20", "40"],
        right: 1,
    },
    watch_for: "The outcome of the read after each change, and the stale read after the two \
                writers.",
    learned: "Write-through saves the load after each change, and the write waits for it. Set \
              after the write lets the older of two values stay; write-through notices that \
              somebody else wrote, and forgets the item instead.",
    variants: &[
        Variant::of(StrategyKind::CacheAside),
        Variant::of(StrategyKind::WriteThrough),
        Variant::of(StrategyKind::SetAfterWrite),
    ],
    settings: || Settings { requests: 0, ..Settings::default() },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("Items are read, changed and read again.").await?;
    for id in 1..=N_ITEMS.min(sandbox.settings().items) {
        sandbox.read(1, id).await?;
        sandbox.write(1, id).await?;
        sandbox.read(1, id).await?;
    }

    sandbox.step("A writer commits, and is held up before it can tell the cache.").await?;
    let first = sandbox.write_until(Call::Update, 1, 1).await?;

    sandbox.step("A second writer commits a newer version, and tells the cache.").await?;
    sandbox.write(1, 1).await?;

    sandbox.step("The first writer goes on.").await?;
    first.go_on().await?;

    sandbox.step("The next reader asks for the item.").await?;
    sandbox.read(1, 1).await?;
    Ok(())
}
