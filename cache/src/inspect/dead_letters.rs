//! Lists and moves dead letters for consoles.

use strata_report::{DeadLetterPage, DeadLetterResult};

use crate::error::CacheError;
use crate::node::{DeadLetterList, DeadLetterStep, Node};

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
        self.shared().write_behind(cache)?.dead_letters(list).await
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
        self.shared().write_behind(cache)?.move_dead_letters(step).await
    }
}
