use std::collections::BTreeMap;

use serde_json::Value;
use strata_cache::Pattern;
use strata_report::{Agreement, L2Look};

use super::query_queues::QueryQueues;
use crate::access::Actor;
use crate::clock::now_ms;
use crate::console::Console;
use crate::error::ConsoleError;
use crate::nodes::{CacheNode, first_with_l2, gather, l1_query};

/// How many keys are compared: each costs a walk over each L1.
const SAMPLE: usize = 20;

/// Of how many nodes: each copy is a question to its node, so a comparison asks for no more than
/// `SAMPLE * NODES` copies, however many nodes there are.
const NODES: usize = 16;

impl Console {
    /// Compares copies of the same keys in L1 of the nodes and in L2: the first keys by name that
    /// at least two places hold. Of more than 16 nodes 16 are asked, each second others. Disturbs
    /// nothing; the source is not asked.
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
        let of_nodes = nodes.len() as u64;
        let nodes = sample(nodes, self.tick().frame.seq);
        let all = Pattern::prefix("");
        let mut keys: BTreeMap<String, usize> = BTreeMap::new();
        let listing = gather(&nodes, |node| {
            let query = l1_query(cache, &all, SAMPLE * 10);
            async move { deadline.walk(cache, node.list_l1(query)).await }
        });
        let gathered = listing.await?;
        let partial = gathered.partial();
        let n_asked = nodes.len() as u64;
        // Those that are silent would be waited for again with each key.
        let nodes = gathered.without_silent(&nodes);
        for (_, listed) in gathered.unless_all_missing()?.answers {
            for row in listed.rows {
                *keys.entry(row.key).or_default() += 1;
            }
        }
        let l2 = usize::from(first_with_l2(&nodes).is_some());
        let shared = keys.into_iter().filter(|(_, n)| n + l2 >= 2).map(|(key, _)| key);
        let mut agreement = Agreement {
            cache: cache.to_owned(),
            at_ms: now_ms(),
            nodes: n_asked,
            of_nodes,
            partial,
            ..Agreement::default()
        };
        for key in shared.take(SAMPLE) {
            let copies = match deadline.walk(cache, copies(&nodes, cache, &key)).await {
                Err(ConsoleError::TooSlow(_)) => {
                    agreement.cut = true;
                    break;
                }
                copies => copies?,
            };
            let Copies { values, is_hidden } = copies;
            if is_hidden {
                agreement.hidden += 1;
            } else if values.len() >= 2 {
                agreement.compared += 1;
                if values.iter().any(|copy| *copy != values[0]) {
                    agreement.differing.push(key);
                }
            }
        }
        Ok(agreement)
    }
}

/// Few enough of the nodes, from all over the list; others at another turn. Of many nodes those that
/// are known to be silent are left out.
fn sample(mut nodes: Vec<CacheNode>, turn: u64) -> Vec<CacheNode> {
    if nodes.len() <= NODES {
        return nodes;
    }
    nodes.retain(|held| held.node.presence().is_none_or(|presence| presence.state.counts()));
    let n = nodes.len();
    if n > NODES {
        let first = usize::try_from(turn % n as u64).unwrap_or(0);
        nodes = (0..NODES).map(|nth| nodes[(first + nth * n / NODES) % n].clone()).collect();
    }
    nodes
}

/// The fresh copies of a key.
struct Copies {
    /// `None` is a remembered "not found". One that is unreadable is none.
    values: Vec<Option<Value>>,
    /// Whether a node does not show what it has.
    is_hidden: bool,
}

async fn copies(nodes: &[CacheNode], cache: &str, key: &str) -> Result<Copies, ConsoleError> {
    let looking = gather(nodes, |node| async move { node.look_l1(cache, key).await });
    // One that does not answer has no copy that could be compared.
    let mut copies: Vec<_> =
        looking.await?.answers.into_iter().filter_map(|(_, entry)| entry).collect();
    if let Some(node) = first_with_l2(nodes)
        && let Some(L2Look::Entry(entry)) = node.look_l2(cache, key).await?
    {
        copies.push(entry);
    }
    copies.retain(|entry| entry.fresh);
    let is_hidden = copies.iter().any(|entry| entry.value_hidden);
    let read = copies.iter().filter_map(|entry| {
        entry.value.as_deref().map(serde_json::from_str::<Value>).transpose().ok()
    });
    Ok(Copies { values: read.collect(), is_hidden })
}
