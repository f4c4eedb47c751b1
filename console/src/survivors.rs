use std::time::Duration;

use strata_cache::Pattern;
use strata_report::{EntryLook, NodeCount};
use tokio::time::{Instant, sleep};

use crate::clock::now_ms;
use crate::keys::Holder;
use crate::{ConsoleError, NodeFace};

const POLL: Duration = Duration::from_millis(10);
const LOOKED_AT: usize = 1_000;

/// What an invalidation is about.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Key(String),
    Pattern(Pattern),
}

/// Entries that an invalidation should have removed.
pub(crate) struct Survivors<'a> {
    pub(crate) cache: &'a str,
    pub(crate) target: &'a Target,
    pub(crate) holders: &'a [Holder],
    /// An entry loaded since then is a new one: traffic may fill a key again at once.
    pub(crate) since_ms: u64,
}

impl Survivors<'_> {
    /// Waits until no node has any in L1, at most for `patience`; then how many each has left.
    pub(crate) async fn left(&self, patience: Duration) -> Vec<NodeCount> {
        let deadline = Instant::now() + patience;
        loop {
            let mut left = Vec::new();
            for holder in self.holders {
                // A node that is gone serves nothing, so it has no survivors.
                let entries = self.on(holder.node.as_ref()).await.unwrap_or(0);
                left.push(NodeCount { node: holder.node.id().to_owned(), entries });
            }
            if left.iter().all(|node| node.entries == 0) || Instant::now() >= deadline {
                return left;
            }
            sleep(POLL).await;
        }
    }

    async fn on(&self, node: &dyn NodeFace) -> Result<u64, ConsoleError> {
        match self.target {
            Target::Key(key) => Ok(u64::from(self.is_old(node, key).await?)),
            Target::Pattern(pattern) => {
                let matched = node.match_l1(self.cache, pattern, LOOKED_AT).await?;
                let mut old = 0;
                for key in &matched.samples {
                    old += u64::from(self.is_old(node, key).await?);
                }
                let looked_at = matched.samples.len().max(1) as u64;
                // Where more match than are looked at, those stand for all.
                Ok((old * matched.n_keys.max(looked_at)).div_ceil(looked_at))
            }
        }
    }

    async fn is_old(&self, node: &dyn NodeFace, key: &str) -> Result<bool, ConsoleError> {
        // Read before the look, so that an entry is rather taken for older than it is.
        let now_ms = now_ms();
        let entry = node.look_l1(self.cache, key).await?;
        let old = |entry: EntryLook| now_ms.saturating_sub(entry.age_ms) < self.since_ms;
        // An entry that would answer no read has not survived, though it still lies there.
        Ok(entry.filter(|entry| entry.fresh).is_some_and(old))
    }
}
