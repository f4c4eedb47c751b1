use std::time::Duration;

use strata_cache::{Cache, Node, StructureError, WriteError};
use strata_demo::Item;

use crate::stack::{Channel, PlainRedis, Source, SourceError};

/// What a strategy works with.
pub struct StrategyContext {
    pub node: Node,
    pub cache: Cache<u64, Item>,
    pub source: Source,
    /// The keys in Redis as any other client sees them; `None` without Redis.
    pub redis: Option<PlainRedis>,
    /// Connects the nodes of strategies that do without the bus.
    pub channel: Channel,
    /// How many entries an L1 of the strategy's own may hold.
    pub l1_entries: u64,
    /// How often a write-behind writes.
    pub flush_every: Duration,
}

/// Why a write was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The database did not take it.
    #[error("write to the source")]
    Source(#[from] SourceError),
    /// The write-behind did not take it.
    #[error(transparent)]
    Queue(#[from] WriteError),
    /// Redis did not answer.
    #[error("remove keys from Redis")]
    Redis(#[from] StructureError),
}
