use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "read-through",
    title: "Read-through",
    idea: [
        "Callers ask for an item and never see the database.",
        "How an item is loaded, and when it is forgotten, is written down in one place.",
        "What runs is the same as with cache-aside; what changes is who can get it wrong.",
    ],
    question: Question {
        text: "The same requests as with cache-aside: how do the queries compare?",
        answers: &["Fewer", "The same", "More"],
        right: 1,
    },
    watch_for: "The two rows: the same outcomes and queries. Then an item that does not exist: the \
                database is asked for it once.",
    learned: "Read-through asks the database exactly as often as cache-aside. It is a matter of \
              where the code lives. \"Not found\" is an answer, and is kept too.",
    variants: &[Variant::of(StrategyKind::CacheAside), Variant::of(StrategyKind::ReadThrough)],
    settings: || Settings { write_share: 0.05, ..Settings::default() },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("One client reads, and changes an item now and then.").await?;
    sandbox.requests().await?;

    sandbox.step("Ten times somebody asks for an item that does not exist.").await?;
    let missing = sandbox.settings().items + 1;
    for _ in 0..10 {
        sandbox.read(1, missing).await?;
    }
    Ok(())
}
