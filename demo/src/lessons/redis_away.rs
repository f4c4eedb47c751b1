use std::sync::Arc;

use super::{Lesson, Question, Variant};
use crate::lab::{Fault, PlayError, Settings, Stage};
use crate::strategies::StrategyKind;

const N_CHANGED: u64 = 5;

pub(super) static LESSON: Lesson = Lesson {
    slug: "redis-away",
    title: "Redis away",
    idea: [
        "Redis makes a service faster; it must not make it fail.",
        "While it is away, reads go on from L1 and the database.",
        "The trap comes after: what changed meanwhile lies in Redis as it was before.",
    ],
    question: Question {
        text: "An item changes while Redis is away, so it cannot be removed there, and the error is \
               ignored. What do readers get once Redis is back?",
        answers: &["The new item", "The old item, until it expires", "An error"],
        right: 1,
    },
    watch_for: "No read fails in either row. The stale reads in the last step: one row has them.",
    learned: "With both, reads go on from the database while Redis is away. An invalidation whose \
              error is ignored is lost, and leaves the old item in Redis. An invalidation that \
              waits is sent before Redis is trusted again, and nothing is stale.",
    variants: &[Variant::of(StrategyKind::CacheAside), Variant::of(StrategyKind::RedisByHand)],
    settings: || Settings {
        nodes: 2,
        items: 20,
        requests: 0,
        time_to_live_ms: 600_000,
        l2_time_to_live_ms: 600_000,
        ..Settings::default()
    },
    play: |stage| Box::pin(play(stage)),
};

async fn play(stage: Arc<Stage>) -> Result<(), PlayError> {
    let n_items = stage.settings().items;
    stage.step("All nodes read three quarters of the items.").await?;
    read_all(&stage, n_items - n_items / 4).await?;

    stage.step("Redis is cut off. All nodes read every item.").await?;
    stage.inflict(Fault::RedisAway)?;
    read_all(&stage, n_items).await?;

    stage.step("Node 1 changes a few items. The removal cannot reach Redis.").await?;
    for id in 1..=N_CHANGED.min(n_items) {
        stage.write(1, id).await?;
    }

    stage.step("Redis comes back. All nodes read the items that were changed.").await?;
    stage.mend(Fault::RedisAway).await?;
    stage.recovered().await?;
    stage.heard().await?;
    read_all(&stage, N_CHANGED.min(n_items)).await
}

async fn read_all(stage: &Stage, n_items: u64) -> Result<(), PlayError> {
    for node in 1..=stage.settings().nodes {
        for id in 1..=n_items {
            stage.read(node, id).await?;
        }
    }
    Ok(())
}
