use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

const TEN_MINUTES_MS: u64 = 600_000;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "tags",
    title: "Invalidation by tag",
    idea: [
        "An entry may be made from several rows: a page shows three items, so an item is on three \
         pages.",
        "An entry carries a tag for each row it was made from.",
        "Who changes a row invalidates its tag with one command, and need not know who shows it.",
    ],
    question: Question {
        text: "20 pages show three items each: page 5 the items 5, 6 and 7. Item 7 changes. How \
               many pages are loaded again where pages carry tags?",
        answers: &["1", "3", "20"],
        right: 1,
    },
    watch_for: "Queries beyond the first 20, and stale reads.",
    learned: "A tag forgets the three pages that show the item, on both nodes, and no other. A \
              pattern cannot tell which they are, and forgets all 20. Who forgets only the item's \
              own page leaves the other two old, on both nodes.",
    variants: &[
        Variant::of(StrategyKind::Tags),
        Variant::of(StrategyKind::AllPages),
        Variant::of(StrategyKind::OnePage),
    ],
    settings: || Settings {
        nodes: 2,
        requests: 0,
        items: 20,
        time_to_live_ms: TEN_MINUTES_MS,
        l2_time_to_live_ms: TEN_MINUTES_MS,
        source_delay_ms: 0,
        ..Settings::default()
    },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("Both nodes read every page.").await?;
    read_all(&sandbox).await?;

    sandbox.step("Node 1 changes item 7.").await?;
    sandbox.write(1, 7).await?;
    sandbox.heard().await?;

    sandbox.step("Both nodes read every page again.").await?;
    read_all(&sandbox).await
}

async fn read_all(sandbox: &Sandbox) -> Result<(), SandboxError> {
    for node in 1..=sandbox.settings().nodes {
        for page in 1..=sandbox.settings().items {
            sandbox.read(node, page).await?;
        }
    }
    Ok(())
}
