use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "two-levels",
    title: "Two levels",
    idea: [
        "L1 lies in the process: a copy there costs nothing to read, and dies with the process.",
        "L2 lies in Redis: slower, but all nodes share it, and it outlives them.",
        "A read asks L1, then L2, then the database, and leaves a copy on its way back.",
    ],
    question: Question {
        text: "Node 1 has read 20 items. It is killed and started again, as by a deploy, and reads \
               them once more. Where does it find them?",
        answers: &["In L1", "In L2", "In the database"],
        right: 1,
    },
    watch_for: "The outcomes: loaded once, then L2 hits on a node whose L1 is empty, then L1 hits.",
    learned: "The database is asked once for each item, whichever node asks. A node that starts \
              empty is filled from L2.",
    variants: &[Variant::of(StrategyKind::NoCache), Variant::of(StrategyKind::CacheAside)],
    settings: || Settings { nodes: 2, items: 20, requests: 0, ..Settings::default() },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("Node 1 reads every item.").await?;
    read_all(&sandbox, 1).await?;

    sandbox.step("Node 2 reads every item.").await?;
    read_all(&sandbox, 2).await?;

    sandbox.step("Node 1 is killed and started again. It reads every item.").await?;
    sandbox.kill(1);
    sandbox.restart(1).await?;
    read_all(&sandbox, 1).await?;

    sandbox.step("It reads every item once more.").await?;
    read_all(&sandbox, 1).await
}

async fn read_all(sandbox: &Sandbox, node: usize) -> Result<(), SandboxError> {
    for id in 1..=sandbox.settings().items {
        sandbox.read(node, id).await?;
    }
    Ok(())
}
