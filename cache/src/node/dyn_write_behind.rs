//! A write-behind as its node and consoles see it.

use std::sync::Arc;

use strata_report::{DeadLetterAction, DeadLetterPage, DeadLetterResult, WriteBehindReport};

use super::dead_letter_filter::DeadLetterFilter;
use crate::bus::Message;
use crate::error::CacheError;
use crate::target::Target;
use crate::user_code::BoxFuture;

/// A write-behind as its node sees it: without its types, keys and values as text.
pub(crate) trait DynWriteBehind: Send + Sync {
    fn cache(&self) -> &str;
    fn on_message(&self, message: &Message) {
        self.overtaken(&message.target);
    }
    /// An entry was invalidated, on this node or on another.
    fn overtaken(&self, target: &Target);
    /// Messages were or may have been missed.
    fn on_gap(&self);
    fn report(self: Arc<Self>) -> WriteBehindReport;
    /// Whether its unwritten values are stored in Redis.
    fn is_durable(&self) -> bool;
    /// One page of dead letters that match.
    fn dead_letters(
        self: Arc<Self>,
        list: DeadLetterList,
    ) -> BoxFuture<'static, Result<DeadLetterPage, CacheError>>;
    /// Runs one step over dead letters.
    fn move_dead_letters(
        self: Arc<Self>,
        step: DeadLetterStep,
    ) -> BoxFuture<'static, Result<DeadLetterResult, CacheError>>;
}

/// Which page of dead letters to return.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterList {
    /// Which dead letters to list.
    pub filter: DeadLetterFilter,
    /// The `next` of the previous page; without it, the first page.
    pub after: Option<String>,
    /// The greatest number of rows, at most 1 000.
    pub limit: usize,
}

/// One step of a run over dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetterStep {
    /// What to do with the dead letters.
    pub action: DeadLetterAction,
    /// Which dead letters it concerns.
    pub filter: DeadLetterFilter,
    /// The `next` of the previous step; without it, the run begins at the first dead letter.
    pub from: Option<String>,
}
