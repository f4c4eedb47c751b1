//! Dead letters as consoles list and move them.

use std::sync::Arc;

use strata_report::{DeadLetterPage, DeadLetterResult};

use crate::error::CacheError;
use crate::node::{DeadLetterList, DeadLetterStep, DynWriteBehind, Node};

impl Node {
    /// One page of the dead letters of a cache's write-behind, as
    /// [`WriteBehind::dead_letters`](crate::WriteBehind::dead_letters), with keys and values as
    /// text. For consoles.
    ///
    /// # Errors
    /// When the cache has no write-behind on this node, or Redis does not answer.
    pub async fn dead_letters(
        &self,
        cache: &str,
        list: DeadLetterList,
    ) -> Result<DeadLetterPage, CacheError> {
        self.write_behind(cache)?.dead_letters(list).await
    }

    /// One step of a redrive or a drop: looks at 128 dead letters at most, moves those that match,
    /// and runs to its end. Go on from the `next` of its answer. For consoles.
    ///
    /// # Errors
    /// As [`dead_letters`](Self::dead_letters). Then it may have happened; the same step once more
    /// does no harm.
    pub async fn move_dead_letters(
        &self,
        cache: &str,
        step: DeadLetterStep,
    ) -> Result<DeadLetterResult, CacheError> {
        self.write_behind(cache)?.move_dead_letters(step).await
    }

    fn write_behind(&self, cache: &str) -> Result<Arc<dyn DynWriteBehind>, CacheError> {
        let found =
            self.shared().write_behinds().into_iter().find(|writes| writes.cache() == cache);
        found.ok_or_else(|| CacheError::NoWriteBehind(cache.to_owned()))
    }
}
