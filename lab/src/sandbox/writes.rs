use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use strata_cache::ErrorChain;
use strata_demo::Item;
use tokio::time::Instant;

use super::error::SandboxError;
use super::lifecycle::Sandbox;
use crate::stack::items_on;
use crate::strategies::StrategyKind;
use crate::trace::{Level, TraceLine};

/// The acknowledged writes. They tell which reads were stale and which writes are lost.
#[derive(Default)]
pub(crate) struct WriteHistory {
    items: Mutex<HashMap<u64, Writes>>,
}

struct Writes {
    given: u64,
    acknowledged: Vec<u64>,
}

/// Of every item, in the table as it is made.
const FIRST_VERSION: u64 = 1;

impl WriteHistory {
    /// The version of the next write.
    pub(crate) fn next(&self, id: u64) -> u64 {
        let mut items = self.items();
        let writes =
            items.entry(id).or_insert(Writes { given: FIRST_VERSION, acknowledged: Vec::new() });
        writes.given += 1;
        writes.given
    }

    pub(crate) fn acknowledge(&self, id: u64, version: u64) {
        if let Some(writes) = self.items().get_mut(&id) {
            writes.acknowledged.push(version);
        }
    }

    /// The newest version that was acknowledged: a read that begins now and answers less is stale.
    pub(crate) fn newest(&self, id: u64) -> u64 {
        let items = self.items();
        let newest = items.get(&id).and_then(|writes| writes.acknowledged.iter().max().copied());
        newest.unwrap_or(0)
    }

    /// How many acknowledged writes are neither in the database nor replaced there by a newer one.
    pub(crate) fn lost(&self, database: &HashMap<u64, u64>) -> u64 {
        let items = self.items();
        let lost = items.iter().map(|(id, writes)| {
            let there = database.get(id).copied().unwrap_or(0);
            writes.acknowledged.iter().filter(|version| **version > there).count() as u64
        });
        lost.sum()
    }

    /// Whether nothing was written.
    pub(crate) fn is_empty(&self) -> bool {
        self.items().is_empty()
    }

    fn items(&self) -> MutexGuard<'_, HashMap<u64, Writes>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a script writes on its sandbox.
impl Sandbox {
    /// Changes an item on a node, numbered from 1; says whether the write was acknowledged.
    ///
    /// # Errors
    /// When the sandbox is stopped or the node was killed.
    pub async fn write(&self, node: usize, id: u64) -> Result<bool, SandboxError> {
        let _acting = self.operations.read().await;
        let node = self.live_node(node)?;
        let (version, started) = (self.writes.next(id), Instant::now());
        let item = Item { id, version, body: "y".repeat(self.settings.item_bytes) };
        let written = node.strategy.write(item).await;
        self.go_on()?;
        let (level, answer) = match &written {
            Ok(()) => {
                self.writes.acknowledge(id, version);
                self.counters.acknowledged();
                (self.acknowledges(), "acknowledged".to_owned())
            }
            Err(error) => {
                self.counters.refused();
                (Level::Nowhere, format!("failed to {}", ErrorChain(error)))
            }
        };
        let command = format!("write {id}, version {version}: {answer}");
        self.trace.push(TraceLine::of(level, Some(node.number), command, started));
        Ok(written.is_ok())
    }

    /// The version that a read must answer at least, were it to begin now.
    pub(crate) fn newest(&self, id: u64) -> u64 {
        if !self.kind.reads_pages() {
            return self.writes.newest(id);
        }
        let there = items_on(id).filter(|item| *item <= self.settings.items);
        // An item without changes is in its first version.
        there.map(|item| self.writes.newest(item).max(1)).sum()
    }

    fn acknowledges(&self) -> Level {
        match self.kind {
            StrategyKind::WriteBehind => Level::L1,
            StrategyKind::DurableWriteBehind => Level::L2,
            _ => Level::Source,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_lost_where_the_database_has_nothing_as_new() {
        let writes = WriteHistory::default();
        for id in [7, 7, 8] {
            let version = writes.next(id);
            writes.acknowledge(id, version);
        }
        assert_eq!((writes.newest(7), writes.newest(8), writes.newest(9)), (3, 2, 0));
        assert_eq!(writes.lost(&HashMap::from([(7, 1), (8, 1)])), 3);
        assert_eq!(writes.lost(&HashMap::from([(7, 3), (8, 1)])), 1);
        assert_eq!(writes.lost(&HashMap::from([(7, 3), (8, 2)])), 0);
    }

    #[test]
    fn a_write_that_was_not_acknowledged_is_not_lost() {
        let writes = WriteHistory::default();
        writes.next(7);
        assert_eq!(writes.lost(&HashMap::from([(7, 1)])), 0);
    }
}
