use strata_cache::{LoadError, Read};
use strata_demo::{Ctx, Item};

use super::Strategy;

/// What only some strategies do in a way of their own.
impl Strategy {
    /// Reads many items as the strategy does: one by one where it knows nothing better.
    pub(crate) async fn read_many(&self, ids: &[u64]) -> Vec<Result<Read<Item>, LoadError>> {
        if let Self::Batch(strategy) = self {
            return strategy.read_many(ids).await;
        }
        let mut reads = Vec::with_capacity(ids.len());
        for id in ids {
            reads.push(self.read(*id).await);
        }
        reads
    }

    /// Reads an item for a caller. Most strategies do not know callers and answer everybody.
    pub(crate) async fn read_as(&self, ctx: &Ctx, id: u64) -> Result<Read<Item>, LoadError> {
        match self {
            Self::Repository(strategy) => strategy.read_as(ctx, id).await,
            Self::DecisionCached(strategy) => strategy.read_as(ctx, id).await,
            _ => self.read(id).await,
        }
    }

    /// How many entries the strategy's own L1 has; `None` where the cache has them.
    pub(crate) fn n_entries(&self) -> Option<u64> {
        match self {
            Self::LruByHand(strategy) => Some(strategy.n_entries()),
            _ => None,
        }
    }

    /// Whether acknowledged writes may still be on their way to the database.
    pub(crate) fn has_unwritten(&self) -> bool {
        match self {
            Self::WriteBehind(strategy) => strategy.has_unwritten(),
            // It learns how many wait in Redis only after its next round.
            Self::DurableWriteBehind(_) => true,
            _ => false,
        }
    }
}
