use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

const TEN_MINUTES_MS: u64 = 600_000;
const N_READS: usize = 20;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "negative",
    title: "Negative entries",
    idea: [
        "An item that does not exist is asked for too: an old link, a typing error, an attack.",
        "\"Not found\" is an answer, and can be kept like any other.",
        "The trap is the day on which the item is created.",
    ],
    question: Question {
        text: "Each of two nodes is asked 20 times for an item that does not exist. How many \
               queries does the database get where \"not found\" is remembered?",
        answers: &["1", "2, one for each node", "40"],
        right: 0,
    },
    watch_for: "Queries, and the stale reads after the item was created.",
    learned: "A \"not found\" that is not remembered is a query each time. Remembered, it is one \
              query for all nodes. Who creates an item must forget it like one who changes it, \
              else every node goes on saying that it is not there.",
    variants: &[
        Variant { title: "Remembered", ..Variant::of(StrategyKind::CacheAside) },
        Variant {
            title: "Not remembered",
            strategy: StrategyKind::CacheAside,
            change: |settings| settings.negative_time_to_live_ms = 0,
        },
        Variant::of(StrategyKind::ForgetFound),
    ],
    settings: || Settings {
        nodes: 2,
        requests: 0,
        negative_time_to_live_ms: TEN_MINUTES_MS,
        source_delay_ms: 0,
        ..Settings::default()
    },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    let (n_nodes, missing) = (sandbox.settings().nodes, sandbox.settings().items + 1);
    sandbox.step("Each node is asked again and again for an item that does not exist.").await?;
    for node in 1..=n_nodes {
        for _ in 0..N_READS {
            sandbox.read(node, missing).await?;
        }
    }

    sandbox.step("Node 1 creates the item.").await?;
    sandbox.write(1, missing).await?;
    sandbox.heard().await?;

    sandbox.step("Each node is asked for it once more.").await?;
    for node in 1..=n_nodes {
        sandbox.read(node, missing).await?;
    }
    Ok(())
}
