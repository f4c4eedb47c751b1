//! Lists and moves dead letters for consoles.

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
    /// If the cache has no write-behind on this node, or Redis does not answer.
    pub async fn dead_letters(
        &self,
        cache: &str,
        list: DeadLetterList,
    ) -> Result<DeadLetterPage, CacheError> {
        self.write_behind(cache)?.dead_letters(list).await
    }

    /// One step of a redrive or a drop. It examines at most 128 dead letters, moves the matching
    /// ones, and runs to its end. Continue from the `next` of its result. For consoles.
    ///
    /// # Errors
    /// As [`dead_letters`](Self::dead_letters). The step may then have taken effect; repeating it
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
