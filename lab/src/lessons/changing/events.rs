use std::sync::Arc;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Fault, Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

const TEN_MINUTES_MS: u64 = 600_000;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
    slug: "events",
    title: "Invalidation across nodes",
    idea: [
        "Each node has an L1 of its own, and forgets nothing in the others.",
        "So a node that changes an item tells the other nodes, on a bus.",
        "A bus that keeps its messages lets a node that was cut off go on where it was; a channel \
         that does not, such as pub/sub, loses them without a trace.",
    ],
    question: Question {
        text: "Node 2 is cut off for a moment. Meanwhile node 1 changes an item that node 2 has in \
               its L1. Then node 2 hears again, and reads the item. Who gets the new one?",
        answers: &[
            "Both, on a bus that keeps messages and on a channel that forgets",
            "Only who hears a bus that keeps messages",
            "Neither",
        ],
        right: 1,
    },
    watch_for: "What node 2 reads after each change: from its L1 the old item, or the new one.",
    learned: "Told nothing, a node answers the old item after every change. A channel that forgets \
              does well until a node misses one message: then it is as if nobody had told it. A \
              node on the stream goes on at the last message it heard, and catches up.",
    variants: &[
        Variant { title: "A stream on the bus", ..Variant::of(StrategyKind::CacheAside) },
        Variant::of(StrategyKind::ForgetfulChannel),
        Variant::of(StrategyKind::TellNobody),
    ],
    settings: || Settings {
        nodes: 2,
        requests: 0,
        time_to_live_ms: TEN_MINUTES_MS,
        l2_time_to_live_ms: TEN_MINUTES_MS,
        source_delay_ms: 0,
        ..Settings::default()
    },
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    let other = sandbox.settings().nodes;
    sandbox.step("Two nodes read item 1. Node 1 changes it; the other reads it again.").await?;
    sandbox.read(1, 1).await?;
    sandbox.read(other, 1).await?;
    sandbox.write(1, 1).await?;
    sandbox.heard().await?;
    sandbox.read(other, 1).await?;

    sandbox.step("Both read item 2. The other is cut off, and node 1 changes the item.").await?;
    sandbox.read(1, 2).await?;
    sandbox.read(other, 2).await?;
    sandbox.inject(Fault::BusSilent)?;
    sandbox.write(1, 2).await?;

    sandbox.step("The other node hears again, and reads item 2.").await?;
    sandbox.repair(Fault::BusSilent).await?;
    sandbox.heard().await?;
    sandbox.read(other, 2).await?;
    Ok(())
}
