use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Fault, Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

const N_HOT: u64 = 5;
const N_CHANGES: u64 = 20;
const N_AT_RISK: u64 = 20;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "write-behind",
    title: "Write-behind",
    idea: [
        "A write is acknowledged before the database has it, and brought there a little later.",
        "Many changes of one item become one, and writers do not wait for a slow database.",
        "The question is where the write lies meanwhile, and what becomes of it when that dies.",
    ],
    question: Question {
        text: "The database is away for a moment. 20 writes are acknowledged, then their node is \
               killed. How many are lost?",
        answers: &[
            "None with either kind",
            "All 20 in memory, none where Redis keeps them",
            "All 20 with either kind",
        ],
        right: 1,
    },
    watch_for: "Transactions against writes, and then what is acknowledged, refused and lost.",
    learned: "Write-behind makes few transactions of many writes. In memory it loses every \
              acknowledged write that its node had not brought to the database; kept in Redis \
              none is lost, because another node brings them. Write-through refuses them, and \
              the writer knows.",
    variants: &[
        Variant::of(StrategyKind::WriteThrough),
        Variant::of(StrategyKind::WriteBehind),
        Variant::of(StrategyKind::DurableWriteBehind),
    ],
    settings: || Settings { nodes: 2, requests: 0, ..Settings::default() },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    let n_items = sandbox.settings().items;
    sandbox.step("A few items are changed again and again.").await?;
    for _ in 0..N_CHANGES {
        for id in 1..=N_HOT.min(n_items) {
            sandbox.write(1, id).await?;
        }
    }
    sandbox.flushed().await?;

    sandbox.step("The database is cut off. Writes go on.").await?;
    sandbox.inject(Fault::DatabaseAway)?;
    for id in 1..=N_AT_RISK.min(n_items) {
        sandbox.write(1, id).await?;
    }

    sandbox.step("Their node is killed. Then the database comes back.").await?;
    sandbox.kill(1);
    sandbox.repair(Fault::DatabaseAway).await?;
    sandbox.flushed().await
}
