use std::sync::Arc;

use super::{Lesson, Question, Variant};
use crate::StrategyKind;
use crate::{Call, PlayError, Settings, Stage};

const N_ITEMS: u64 = 20;

pub(super) static LESSON: Lesson = Lesson {
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
    play: |stage| Box::pin(play(stage)),
};

async fn play(stage: Arc<Stage>) -> Result<(), PlayError> {
    stage.step("Items are read, changed and read again.").await?;
    for id in 1..=N_ITEMS.min(stage.settings().items) {
        stage.read(1, id).await?;
        stage.write(1, id).await?;
        stage.read(1, id).await?;
    }

    stage.step("A writer commits, and is held up before it can tell the cache.").await?;
    let first = stage.write_until(Call::Update, 1, 1).await?;

    stage.step("A second writer commits a newer version, and tells the cache.").await?;
    stage.write(1, 1).await?;

    stage.step("The first writer goes on.").await?;
    first.go_on().await?;

    stage.step("The next reader asks for the item.").await?;
    stage.read(1, 1).await?;
    Ok(())
}
