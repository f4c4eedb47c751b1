use std::sync::Arc;

use strata_demo::Caller;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "repository",
    title: "Cached repository",
    idea: [
        "A repository answers callers, and knows who asks; the cache below it knows items only.",
        "What a caller may see is decided after the cache was read, for each caller anew.",
        "The trap is to decide inside the load: then one caller's answer is kept for everybody.",
    ],
    question: Question {
        text: "Item 7 belongs to user 7, and nobody else may see it. User 7 reads it, then user 8 \
               does. What does user 8 get where the decision is part of the load?",
        answers: &["Nothing", "The item", "An error"],
        right: 1,
    },
    watch_for: "Items leaked, and in the trace of the second step an item withheld from its owner. \
                Outcomes and queries are the same in both rows.",
    learned: "Decided inside the load, a private item is shown to callers who come after its \
              owner, and withheld from an owner who comes after somebody else. Decided after the \
              read, neither happens, and it costs no query more.",
    variants: &[Variant::of(StrategyKind::Repository), Variant::of(StrategyKind::DecisionCached)],
    settings: || Settings { requests: 0, ..Settings::default() },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("User 7 reads item 7, which is private. Then user 8 asks for it.").await?;
    sandbox.read_as(1, 7, Caller::User(7)).await?;
    sandbox.read_as(1, 7, Caller::User(8)).await?;

    sandbox.step("User 8 asks for item 9, which is private to user 9. Then user 9 does.").await?;
    sandbox.read_as(1, 9, Caller::User(8)).await?;
    sandbox.read_as(1, 9, Caller::User(9)).await?;

    sandbox.step("Both ask for item 10, which everybody may see.").await?;
    sandbox.read_as(1, 10, Caller::User(9)).await?;
    sandbox.read_as(1, 10, Caller::User(8)).await?;
    Ok(())
}
