use std::collections::BTreeSet;
use std::sync::Arc;

use strata_cache::Pattern;
use strata_report::{KeyLook, L1Look, NodeCount, Plan};

use crate::clock::now_ms;
use crate::{Console, ConsoleError, NodeFace};

const KEY_MAX_BYTES: usize = 512;
const N_SAMPLES: usize = 10;

/// A node that holds a cache.
#[derive(Clone)]
pub(crate) struct Holder {
    pub(crate) node: Arc<dyn NodeFace>,
    /// Whether it hears of invalidations that begin elsewhere.
    pub(crate) hears: bool,
    /// Whether it keeps this cache in L2 as well.
    pub(crate) has_l2: bool,
}

impl Console {
    /// One key in every level, without disturbing the cache.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`], [`ConsoleError::BadKey`], [`ConsoleError::NodeGone`].
    pub async fn look(&self, cache: &str, key: &str) -> Result<KeyLook, ConsoleError> {
        let holders = self.holders(cache)?;
        check_key(cache, key)?;
        let mut l1 = Vec::new();
        for holder in &holders {
            let entry = holder.node.look_l1(cache, key).await?;
            l1.push(L1Look { node: holder.node.id().to_owned(), entry });
        }
        let l2 = match first_with_l2(&holders) {
            Some(node) => node.look_l2(cache, key).await?,
            None => None,
        };
        Ok(KeyLook { cache: cache.to_owned(), key: key.to_owned(), l1, l2 })
    }

    /// What invalidating a pattern would remove. Changes nothing.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`], [`ConsoleError::BadPattern`], [`ConsoleError::NodeGone`].
    pub async fn plan(&self, cache: &str, pattern: &str) -> Result<Plan, ConsoleError> {
        let holders = self.holders(cache)?;
        let pattern = Pattern::parse(pattern)?;
        let mut samples = BTreeSet::new();
        let mut l1 = Vec::new();
        for holder in &holders {
            let matched = holder.node.match_l1(cache, &pattern, N_SAMPLES).await?;
            samples.extend(matched.samples);
            l1.push(NodeCount { node: holder.node.id().to_owned(), entries: matched.n_keys });
        }
        let l2 = match first_with_l2(&holders) {
            Some(node) => node.match_l2(cache, &pattern, N_SAMPLES).await?,
            None => None,
        };
        let l2_keys = l2.as_ref().map(|matched| matched.n_keys);
        samples.extend(l2.into_iter().flat_map(|matched| matched.samples));
        Ok(Plan {
            cache: cache.to_owned(),
            pattern: pattern.as_str().to_owned(),
            l1,
            l2: l2_keys,
            samples: samples.into_iter().take(N_SAMPLES).collect(),
            at_ms: now_ms(),
        })
    }

    /// The nodes that hold a cache, as of the newest frame.
    pub(crate) fn holders(&self, cache: &str) -> Result<Vec<Holder>, ConsoleError> {
        let tick = self.tick();
        let mut holders = Vec::new();
        for node in &self.inner.nodes {
            let Some(report) = tick.reports.iter().find(|report| report.node == node.id()) else {
                continue;
            };
            let Some(held) = report.caches.iter().find(|held| held.cache == cache) else {
                continue;
            };
            holders.push(Holder {
                node: Arc::clone(node),
                hears: report.bus.connected,
                has_l2: report.l2.configured && held.settings.l2_time_to_live_ms.is_some(),
            });
        }
        if holders.is_empty() { Err(ConsoleError::unknown_cache(cache)) } else { Ok(holders) }
    }
}

pub(crate) fn check_key(cache: &str, key: &str) -> Result<(), ConsoleError> {
    match key.len() {
        0 => Err(ConsoleError::bad_key(cache, key, "it is empty")),
        1..=KEY_MAX_BYTES => Ok(()),
        _ => Err(ConsoleError::bad_key(cache, key, "it has more than 512 bytes")),
    }
}

// All nodes share one Redis, so any node that has an L2 can speak for it.
fn first_with_l2(holders: &[Holder]) -> Option<&Arc<dyn NodeFace>> {
    holders.iter().find(|holder| holder.has_l2).map(|holder| &holder.node)
}
