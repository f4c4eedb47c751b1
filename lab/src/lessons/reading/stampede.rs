use std::sync::Arc;
use std::time::Duration;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

const SLOW: Duration = Duration::from_millis(200);

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "stampede",
    title: "Stampede and single flight",
    idea: [
        "An item that many read is not cached: it expired, or was forgotten.",
        "All who ask for it now miss at once, and each loads it: a stampede.",
        "With a single flight one of them loads, and the others wait for its answer.",
    ],
    question: Question {
        text: "50 readers on two nodes ask at once for an item that no level has. How many queries \
               does the database get with a single flight?",
        answers: &["1", "2, one for each node", "50"],
        right: 0,
    },
    watch_for: "Queries. Readers that waited for a running load are coalesced, not hits.",
    learned: "By hand many readers load. A single flight makes it one load in each process, and \
              a lease in Redis one in all.",
    variants: &[Variant::of(StrategyKind::FillByHand), Variant::of(StrategyKind::CacheAside)],
    settings: || Settings { nodes: 2, readers: 50, requests: 0, ..Settings::default() },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.source().set_delay(SLOW);
    sandbox.step("No level has the item. All readers ask for it at once.").await?;
    sandbox.read_together(1).await
}
