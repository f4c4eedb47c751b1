use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Sandbox, SandboxError};
use crate::settings::Settings;
use crate::stack::Call;
use crate::strategies::StrategyKind;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "cache-aside",
    title: "Cache-aside",
    idea: [
        "A reader asks the cache first; on a miss it loads the item and stores a copy.",
        "A writer commits to the database, then invalidates the cached copy.",
        "The trap lies between load and copy: an item may change there.",
    ],
    question: Question {
        text: "A reader has loaded an item but not yet kept it; a writer changes the item and makes \
               the cache forget it; then the reader keeps what it loaded. What does the next \
               reader get, where this is written by hand?",
        answers: &["The new item", "The old item, until it expires", "An error"],
        right: 1,
    },
    watch_for: "The stale read in the last step: one row of the table has it, the other has none.",
    learned: "After its first load an item costs the database nothing until it changes. Look, \
              load, set by hand brings an overtaken value back; a cache that knows of the \
              invalidation does not keep it.",
    variants: &[Variant::of(StrategyKind::CacheAside), Variant::of(StrategyKind::FillByHand)],
    settings: || Settings { write_share: 0.1, ..Settings::default() },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    sandbox.step("One client reads, and changes an item now and then.").await?;
    sandbox.requests().await?;

    let id = sandbox.settings().items;
    sandbox.step("An item is changed, so that nothing is kept of it.").await?;
    sandbox.write(1, id).await?;

    sandbox.step("A reader loads it, and is held up before it can keep it.").await?;
    let reader = sandbox.read_until(Call::Select, 1, id).await?;

    sandbox.step("Meanwhile a writer changes the item and makes the cache forget it.").await?;
    sandbox.write(1, id).await?;

    sandbox.step("The reader goes on, and keeps what it has.").await?;
    reader.go_on().await?;

    sandbox.step("The next reader asks for the item.").await?;
    sandbox.read(1, id).await?;
    Ok(())
}
