use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "no-cache",
    title: "No cache",
    idea: [
        "Every read asks the database.",
        "Nothing is ever old, because nothing is kept.",
        "But the same rows are fetched again and again, and each reader waits for the database.",
    ],
    question: Question {
        text: "200 reads of 50 items: how many queries does the database get?",
        answers: &["50, one for each item", "200, one for each read", "Fewer than 50"],
        right: 1,
    },
    watch_for: "Queries equal reads, and the median read takes as long as the database.",
    learned: "Without a cache each read is one query, however often the same item is read.",
    variants: &[Variant::of(StrategyKind::NoCache), Variant::of(StrategyKind::CacheAside)],
    settings: || Settings { source_delay_ms: 5, ..Settings::default() },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("One reader asks for popular items more often than for others.").await?;
    sandbox.requests().await
}
