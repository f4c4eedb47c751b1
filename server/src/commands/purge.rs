use std::time::Duration;

use anyhow::{Context, bail};
use strata_cache::Node;
use tokio::time::{Instant, sleep};

use crate::config::PurgeFlags;

/// How long Redis may take until it answers.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);
/// What was on its way as a node ended may arrive after the first round.
const ROUNDS: usize = 10;

/// Runs `strata purge`: removes every key of a namespace from Redis. Answers how many.
///
/// # Errors
/// Where it was not confirmed, nodes use the namespace, there is no Redis, or the namespace can be
/// none.
pub async fn run_purge(flags: PurgeFlags) -> anyhow::Result<u64> {
    let namespace = flags.namespace.clone();
    let Some(address) =
        flags.redis.address().map_err(|error| anyhow::anyhow!("failed to {error}"))?
    else {
        bail!("failed to find a Redis: --redis-url or --redis-url-file tells where it is");
    };
    if !flags.yes {
        bail!(
            "nothing was removed: this takes every key of the namespace {namespace} out of Redis, with \
             entries, writes that wait, and the audit trail. Stop its nodes, then repeat it with --yes"
        );
    }
    let started = Node::builder(&namespace).id("purge").redis(address).start().await;
    let node = started.map_err(|error| anyhow::anyhow!("failed to {error}"))?;
    let erased = erase(&node, &flags).await;
    node.shutdown();
    erased
}

async fn erase(node: &Node, flags: &PurgeFlags) -> anyhow::Result<u64> {
    reach(node).await.context("failed to reach Redis; nothing was removed")?;
    // Its own heartbeat would be a key again, and would keep others from writing theirs.
    node.shutdown();
    if !flags.while_in_use {
        refuse_where_used(node, &flags.namespace).await?;
    }
    erase_all(node).await.context("failed to reach Redis, or it refused; keys may remain")
}

/// Fails unless no other node was heard of in several seconds. What cannot be known counts as use.
async fn refuse_where_used(node: &Node, namespace: &str) -> anyhow::Result<()> {
    match node.has_living_peers().await {
        Some(false) => Ok(()),
        Some(true) => bail!(
            "nothing was removed: nodes use the namespace {namespace}. Stop them, or repeat it with \
             --while-in-use; they would lose what they have not written yet"
        ),
        None => bail!(
            "nothing was removed: Redis did not always answer, so that nobody knows whether nodes \
             use the namespace {namespace}. Repeat it once Redis is well, or with --while-in-use"
        ),
    }
}

/// Waits until Redis answers.
async fn reach(node: &Node) -> Option<()> {
    let deadline = Instant::now() + PATIENCE;
    while node.report().l2.breaker_open {
        if Instant::now() >= deadline {
            return None;
        }
        sleep(POLL).await;
    }
    Some(())
}

async fn erase_all(node: &Node) -> Option<u64> {
    let mut erased = 0;
    for _ in 0..ROUNDS {
        match node.erase_namespace().await? {
            0 => break,
            n => erased += n,
        }
        sleep(POLL).await;
    }
    Some(erased)
}
