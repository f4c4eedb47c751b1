use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

const N_SHOWN: u64 = 20;
const N_CHANGED: u64 = 10;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "batch",
    title: "Batch reads",
    idea: [
        "A page shows many items, and reads them one by one: each that is missing is a query.",
        "A batch read names all of them at once.",
        "L1 answers what it has, one MGET asks Redis for the rest, and one query the database.",
    ],
    question: Question {
        text: "A page of 20 items is shown, and no level has them. Then 10 of them change, and it \
               is shown again. How many queries does the database get with batch reads?",
        answers: &["2", "11", "30"],
        right: 0,
    },
    watch_for: "Queries, and how long a read takes: as long as its page. The outcomes are the same \
                in both rows.",
    learned: "One by one, each missing item is a query. In a batch all that are missing are one \
              query together, and what a level has is not asked for again.",
    variants: &[Variant::of(StrategyKind::CacheAside), Variant::of(StrategyKind::Batch)],
    settings: || Settings {
        nodes: 2,
        requests: 0,
        source_delay_ms: 5,
        time_to_live_ms: 600_000,
        l2_time_to_live_ms: 600_000,
        ..Settings::default()
    },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    let n_items = sandbox.settings().items;
    let page: Vec<u64> = (1..=N_SHOWN.min(n_items)).collect();
    sandbox.step("Node 1 shows a page of items that no level has.").await?;
    sandbox.read_many(1, &page).await?;

    sandbox.step("Another node shows the same page: Redis has it.").await?;
    sandbox.read_many(sandbox.settings().nodes, &page).await?;

    sandbox.step("Half of the items change. Node 1 shows the page again.").await?;
    for id in 1..=N_CHANGED.min(n_items) {
        sandbox.write(1, id).await?;
    }
    sandbox.read_many(1, &page).await?;
    Ok(())
}
