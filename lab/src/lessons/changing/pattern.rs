use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "pattern",
    title: "Invalidation by pattern",
    idea: [
        "One change may make many keys old: all pages of an author, all variants of a product.",
        "A pattern names them at once.",
        "The trap is that Redis knows only its own copies, and each process has more.",
    ],
    question: Question {
        text: "Item 7 changes, and every key that begins with 7 is deleted in Redis. What do the two \
               nodes answer, which have read item 7 before?",
        answers: &[
            "Both the new item",
            "The writing node the new one, the other the old one",
            "Both the old item",
        ],
        right: 2,
    },
    watch_for: "Stale reads, and how many items are loaded again.",
    learned: "Deleted in Redis alone, a value stays in every L1 until it expires. An invalidation \
              by pattern reaches both levels of every node, and leaves all other keys where they \
              are.",
    variants: &[Variant::of(StrategyKind::Pattern), Variant::of(StrategyKind::PatternInRedis)],
    settings: || Settings { nodes: 2, items: 100, requests: 0, ..Settings::default() },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("Both nodes read every item.").await?;
    read_all(&sandbox).await?;

    sandbox.step("Node 1 changes item 7, and invalidates every key that begins with 7.").await?;
    sandbox.write(1, 7).await?;
    sandbox.heard().await?;

    sandbox.step("Both nodes read every item again.").await?;
    read_all(&sandbox).await
}

async fn read_all(sandbox: &Sandbox) -> Result<(), SandboxError> {
    for node in 1..=sandbox.settings().nodes {
        for id in 1..=sandbox.settings().items {
            sandbox.read(node, id).await?;
        }
    }
    Ok(())
}
