use std::sync::Arc;

use tokio::task::JoinSet;

use crate::lessons::{Lesson, Question, Variant};
use crate::sandbox::{Fault, Sandbox, SandboxError};
use crate::settings::Settings;
use crate::strategies::StrategyKind;

const N_CHANGED: u64 = 5;

pub(in crate::lessons) static LESSON: Lesson = Lesson {
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
    script: |sandbox| Box::pin(script(sandbox)),
};

async fn script(sandbox: Arc<Sandbox>) -> Result<(), SandboxError> {
    let n_items = sandbox.settings().items;
    sandbox.step("All nodes read three quarters of the items.").await?;
    one_node_after_the_other(&sandbox, n_items - n_items / 4).await?;

    sandbox.step("Redis hangs: it does not answer any more. All nodes read every item.").await?;
    sandbox.silence_redis()?;
    all_nodes_at_once(&sandbox, n_items).await?;

    sandbox.step("Node 1 changes a few items. The removal cannot reach Redis.").await?;
    let n_changed = N_CHANGED.min(n_items);
    for id in 1..=n_changed {
        sandbox.write(1, id).await?;
    }

    sandbox.step("Redis comes back. All nodes read the items that were changed.").await?;
    sandbox.repair(Fault::RedisAway).await?;
    sandbox.recovered().await?;
    sandbox.heard().await?;
    one_node_after_the_other(&sandbox, n_changed).await
}

async fn one_node_after_the_other(
    sandbox: &Arc<Sandbox>,
    n_items: u64,
) -> Result<(), SandboxError> {
    for node in 1..=sandbox.settings().nodes {
        read_all(Arc::clone(sandbox), node, n_items).await?;
    }
    Ok(())
}

async fn all_nodes_at_once(sandbox: &Arc<Sandbox>, n_items: u64) -> Result<(), SandboxError> {
    let mut readers = JoinSet::new();
    for node in 1..=sandbox.settings().nodes {
        readers.spawn(read_all(Arc::clone(sandbox), node, n_items));
    }
    readers.join_all().await.into_iter().collect()
}

async fn read_all(sandbox: Arc<Sandbox>, node: usize, n_items: u64) -> Result<(), SandboxError> {
    for id in 1..=n_items {
        sandbox.read(node, id).await?;
    }
    Ok(())
}
