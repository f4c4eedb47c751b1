use std::collections::BTreeMap;

use serde_json::Value;
use strata_cache::Pattern;
use strata_report::{Agreement, L2Look};

use super::query_queues::QueryQueues;
use crate::access::Actor;
use crate::clock::now_ms;
use crate::console::Console;
use crate::error::ConsoleError;
use crate::nodes::{CacheNode, first_with_l2, l1_query};

/// How many keys are compared: each costs a walk over each L1.
const SAMPLE: usize = 20;

impl Console {
    /// Compares copies of the same keys in L1 of the nodes and in L2: the first keys by name that
    /// at least two places hold. Disturbs nothing; the source is not asked.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`], [`ConsoleError::NodeGone`], [`ConsoleError::Busy`],
    /// [`ConsoleError::TooSlow`].
    pub async fn agreement(&self, actor: &Actor, cache: &str) -> Result<Agreement, ConsoleError> {
        let (console, cache) = (self.clone(), cache.to_owned());
        let comparing = async move { console.compare_copies(&cache).await };
        self.inner.queries.run(actor, comparing).await
    }

    async fn compare_copies(&self, cache: &str) -> Result<Agreement, ConsoleError> {
        let deadline = QueryQueues::deadline();
        let nodes = self.nodes_with(cache)?;
        let all = Pattern::prefix("");
        let mut keys: BTreeMap<String, usize> = BTreeMap::new();
        for CacheNode { node, .. } in &nodes {
            let query = l1_query(cache, &all, SAMPLE * 10);
            let listed = deadline.walk(cache, node.list_l1(query)).await?;
            for row in listed.rows {
                *keys.entry(row.key).or_default() += 1;
            }
        }
        let l2 = usize::from(first_with_l2(&nodes).is_some());
        let shared = keys.into_iter().filter(|(_, n)| n + l2 >= 2).map(|(key, _)| key);
        let mut agreement =
            Agreement { cache: cache.to_owned(), at_ms: now_ms(), ..Agreement::default() };
        for key in shared.take(SAMPLE) {
            let copies = match deadline.walk(cache, copies(&nodes, cache, &key)).await {
                Err(ConsoleError::TooSlow(_)) => {
                    agreement.cut = true;
                    break;
                }
                copies => copies?,
            };
            if copies.len() >= 2 {
                agreement.compared += 1;
                if copies.iter().any(|copy| *copy != copies[0]) {
                    agreement.differing.push(key);
                }
            }
        }
        Ok(agreement)
    }
}

/// The fresh copies of a key; `None` is a remembered "not found". One that is unreadable is none.
async fn copies(
    nodes: &[CacheNode],
    cache: &str,
    key: &str,
) -> Result<Vec<Option<Value>>, ConsoleError> {
    let mut copies = Vec::new();
    for CacheNode { node, .. } in nodes {
        copies.extend(node.look_l1(cache, key).await?);
    }
    if let Some(node) = first_with_l2(nodes)
        && let Some(L2Look::Entry(entry)) = node.look_l2(cache, key).await?
    {
        copies.push(entry);
    }
    let fresh = copies.into_iter().filter(|entry| entry.fresh);
    let read = fresh.filter_map(|entry| {
        entry.value.as_deref().map(serde_json::from_str::<Value>).transpose().ok()
    });
    Ok(read.collect())
}
