use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Lesson, Question, Variant};
use crate::StrategyKind;
use crate::{Fault, PlayError, Settings, Stage};

const N_CHANGED: u64 = 5;

pub(super) static LESSON: Lesson = Lesson {
    slug: "redis-away",
    title: "Redis away",
    idea: [
        "Redis makes a service faster; it must not make it fail.",
        "While it hangs, the first read waits for a timeout, and then all go on without it.",
        "The trap comes after: what changed meanwhile lies in Redis as it was before.",
    ],
    question: Question {
        text: "An item changes while Redis is away, so it cannot be removed there, and the error is \
               ignored. What do readers get once Redis is back?",
        answers: &["The new item", "The old item, until it expires", "An error"],
        right: 1,
    },
    watch_for: "In the second step, which reads take long. No read fails in either row. Then the \
                stale reads: one row has them.",
    learned: "A Redis that hangs costs each node one timeout; a breaker spares the other reads, \
              and none fails. A removal whose error is ignored is lost, and the old item stays in \
              Redis. One that waits is sent before Redis is trusted again, and nothing is stale.",
    variants: &[Variant::of(StrategyKind::CacheAside), Variant::of(StrategyKind::RedisByHand)],
    settings: || Settings {
        nodes: 2,
        items: 20,
        requests: 0,
        l2_timeout_ms: 2_000,
        ..Settings::default()
    },
    play: |stage| Box::pin(play(stage)),
};

async fn play(stage: Arc<Stage>) -> Result<(), PlayError> {
    let n_items = stage.settings().items;
    stage.step("All nodes read three quarters of the items.").await?;
    one_node_after_the_other(&stage, n_items - n_items / 4).await?;

    stage.step("Redis hangs: it does not answer any more. All nodes read every item.").await?;
    stage.silence_redis()?;
    all_nodes_at_once(&stage, n_items).await?;

    stage.step("Node 1 changes a few items. The removal cannot reach Redis.").await?;
    let n_changed = N_CHANGED.min(n_items);
    for id in 1..=n_changed {
        stage.write(1, id).await?;
    }

    stage.step("Redis comes back. All nodes read the items that were changed.").await?;
    stage.mend(Fault::RedisAway).await?;
    stage.recovered().await?;
    stage.heard().await?;
    one_node_after_the_other(&stage, n_changed).await
}

async fn one_node_after_the_other(stage: &Arc<Stage>, n_items: u64) -> Result<(), PlayError> {
    for node in 1..=stage.settings().nodes {
        read_all(Arc::clone(stage), node, n_items).await?;
    }
    Ok(())
}

async fn all_nodes_at_once(stage: &Arc<Stage>, n_items: u64) -> Result<(), PlayError> {
    let mut readers = JoinSet::new();
    for node in 1..=stage.settings().nodes {
        readers.spawn(read_all(Arc::clone(stage), node, n_items));
    }
    readers.join_all().await.into_iter().collect()
}

async fn read_all(stage: Arc<Stage>, node: usize, n_items: u64) -> Result<(), PlayError> {
    for id in 1..=n_items {
        stage.read(node, id).await?;
    }
    Ok(())
}
