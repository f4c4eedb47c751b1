//! One method for each request to a node, with the answer that fits it.

use strata_cache::Pattern;
use strata_report::{
    CacheEvents, CacheKey, CacheKeys, CacheName, CacheReport, CacheValue, DeadLetterMove,
    DeadLetterPage, DeadLetterRequest, DeadLetterResult, EntryLook, KeyMatch, KeyRow, L1Keys,
    L1Query, L1Survey, L2Look, NodeAnswer, NodeRequest,
};

use crate::error::ConsoleError;
use crate::nodes::client::NodeClient;

fn key(cache: &str, key: &str) -> CacheKey {
    CacheKey { cache: cache.to_owned(), key: key.to_owned() }
}

fn name(cache: &str) -> CacheName {
    CacheName { cache: cache.to_owned() }
}

/// The first keys in L1 that match, at most `limit`.
pub(crate) fn l1_query(cache: &str, pattern: &Pattern, limit: usize) -> L1Query {
    let (cache, pattern) = (cache.to_owned(), pattern.as_str().to_owned());
    L1Query { cache, pattern, after: None, limit: limit as u64 }
}

impl dyn NodeClient {
    /// One key in its L1, without disturbing the cache.
    pub(crate) async fn look_l1(
        &self,
        cache: &str,
        text: &str,
    ) -> Result<Option<EntryLook>, ConsoleError> {
        match self.ask(NodeRequest::LookL1(key(cache, text))).await {
            NodeAnswer::Entry { entry } => Ok(entry),
            other => Err(self.no_answer(other)),
        }
    }

    /// One key in L2; `None` if L2 is off or cannot be asked.
    pub(crate) async fn look_l2(
        &self,
        cache: &str,
        text: &str,
    ) -> Result<Option<L2Look>, ConsoleError> {
        match self.ask(NodeRequest::LookL2(key(cache, text))).await {
            NodeAnswer::L2 { look } => Ok(look),
            other => Err(self.no_answer(other)),
        }
    }

    /// Keys in its L1 that match, by name.
    pub(crate) async fn list_l1(&self, query: L1Query) -> Result<L1Keys, ConsoleError> {
        match self.ask(NodeRequest::ListL1(query)).await {
            NodeAnswer::Keys(keys) => Ok(keys),
            other => Err(self.no_answer(other)),
        }
    }

    /// How many keys in its L1 match, and the first of them by name.
    pub(crate) async fn match_l1(&self, query: L1Query) -> Result<KeyMatch, ConsoleError> {
        match self.ask(NodeRequest::MatchL1(query)).await {
            NodeAnswer::Matches(matches) => Ok(matches),
            other => Err(self.no_answer(other)),
        }
    }

    /// Those of the keys that lie, fresh, in its L1.
    pub(crate) async fn among_l1(
        &self,
        cache: &str,
        keys: &[String],
    ) -> Result<Vec<KeyRow>, ConsoleError> {
        let keys = CacheKeys { cache: cache.to_owned(), keys: keys.to_vec() };
        match self.ask(NodeRequest::AmongL1(keys)).await {
            NodeAnswer::Keys(keys) => Ok(keys.rows),
            other => Err(self.no_answer(other)),
        }
    }

    /// When entries of its L1 expire, and how large they are.
    pub(crate) async fn survey_l1(&self, cache: &str) -> Result<L1Survey, ConsoleError> {
        match self.ask(NodeRequest::SurveyL1(name(cache))).await {
            NodeAnswer::Survey(survey) => Ok(survey),
            other => Err(self.no_answer(other)),
        }
    }

    /// What happened to one key, as far back as is kept.
    pub(crate) async fn events_of(
        &self,
        cache: &str,
        text: &str,
    ) -> Result<CacheEvents, ConsoleError> {
        match self.ask(NodeRequest::EventsOf(key(cache, text))).await {
            NodeAnswer::Events(events) => Ok(events),
            other => Err(self.no_answer(other)),
        }
    }

    /// A cache's report with all its details.
    pub(crate) async fn details(&self, cache: &str) -> Result<Box<CacheReport>, ConsoleError> {
        match self.ask(NodeRequest::Details(name(cache))).await {
            NodeAnswer::Report(report) => Ok(report),
            other => Err(self.no_answer(other)),
        }
    }

    /// Loads a key anew by what the node's service has said.
    pub(crate) async fn refresh(&self, cache: &str, text: &str) -> Result<(), ConsoleError> {
        match self.ask(NodeRequest::Refresh(key(cache, text))).await {
            NodeAnswer::Done { .. } => Ok(()),
            other => Err(self.no_answer(other)),
        }
    }

    /// The name of a key's group.
    pub(crate) async fn group_of(
        &self,
        cache: &str,
        text: &str,
    ) -> Result<Option<String>, ConsoleError> {
        match self.ask(NodeRequest::GroupOf(key(cache, text))).await {
            NodeAnswer::Group { group } => Ok(group),
            other => Err(self.no_answer(other)),
        }
    }

    /// Removes one key from its L1 alone; says whether it was there.
    pub(crate) async fn drop_from_l1(&self, cache: &str, text: &str) -> Result<bool, ConsoleError> {
        match self.ask(NodeRequest::DropFromL1(key(cache, text))).await {
            NodeAnswer::Done { changed } => Ok(changed),
            other => Err(self.no_answer(other)),
        }
    }

    /// A value, as JSON, as its cache lets people see it; `None` if the cache hides it.
    pub(crate) async fn show_value(
        &self,
        cache: &str,
        value: String,
    ) -> Result<Option<String>, ConsoleError> {
        let value = CacheValue { cache: cache.to_owned(), value };
        match self.ask(NodeRequest::ShowValue(value)).await {
            NodeAnswer::Value { value } => Ok(value),
            other => Err(self.no_answer(other)),
        }
    }

    /// A page of the dead letters of a cache's write-behind; of one in memory, the node's own.
    pub(crate) async fn dead_letters(
        &self,
        request: DeadLetterRequest,
    ) -> Result<DeadLetterPage, ConsoleError> {
        match self.ask(NodeRequest::DeadLetters(request)).await {
            NodeAnswer::DeadLetters(page) => Ok(page),
            other => Err(self.no_answer(other)),
        }
    }

    /// One step of a redrive or a drop of dead letters, to its end.
    pub(crate) async fn move_dead_letters(
        &self,
        step: DeadLetterMove,
    ) -> Result<DeadLetterResult, ConsoleError> {
        match self.ask(NodeRequest::MoveDeadLetters(step)).await {
            NodeAnswer::DeadLettersMoved(result) => Ok(result),
            other => Err(self.no_answer(other)),
        }
    }

    /// Why there is no answer.
    fn no_answer(&self, answer: NodeAnswer) -> ConsoleError {
        match answer {
            NodeAnswer::Failed { error } => ConsoleError::from_node(self.id(), error),
            _ => ConsoleError::not_understood(self.id()),
        }
    }
}
