use std::sync::Arc;

use strata_report::{DeadLetterPage, DeadLetterResult, DeadLetterRow, WriteBehindReport};

use super::letter::{LetterValue, StoredLetter};
use super::node::{DeadLetterList, DeadLetterStep};
use crate::key::{Key, Value};
use crate::node::Ear;
use crate::user_code::BoxFuture;
use crate::write_behind::handle::WriteBehind;
use crate::write_behind::inner::{Inner, Kind};
use crate::write_behind::row::WriteError;

/// A write-behind as its node sees it: without its types, keys and values as text.
pub(crate) trait DynWriteBehind: Ear {
    fn report(self: Arc<Self>) -> WriteBehindReport;
    /// Whether its unwritten values lie in Redis.
    fn is_durable(&self) -> bool;
    /// One page of dead letters that match.
    fn dead_letters(
        self: Arc<Self>,
        list: DeadLetterList,
    ) -> BoxFuture<'static, Result<DeadLetterPage, WriteError>>;
    /// One step of a run over dead letters.
    fn move_dead_letters(
        self: Arc<Self>,
        step: DeadLetterStep,
    ) -> BoxFuture<'static, Result<DeadLetterResult, WriteError>>;
}

impl<K: Key, V: Value + Clone> DynWriteBehind for Inner<K, V> {
    fn report(self: Arc<Self>) -> WriteBehindReport {
        WriteBehind { inner: self }.report()
    }

    fn is_durable(&self) -> bool {
        matches!(self.kind, Kind::Durable(_))
    }

    fn dead_letters(
        self: Arc<Self>,
        list: DeadLetterList,
    ) -> BoxFuture<'static, Result<DeadLetterPage, WriteError>> {
        Box::pin(async move {
            let page = self.kind.page(&list.filter, list.after.as_deref(), list.limit).await?;
            let rows = page.letters.into_iter().map(|letter| self.row(letter)).collect();
            let (next, total, until_ms) = (page.next, page.total, page.until_ms);
            Ok(DeadLetterPage { rows, next, total, until_ms })
        })
    }

    fn move_dead_letters(
        self: Arc<Self>,
        step: DeadLetterStep,
    ) -> BoxFuture<'static, Result<DeadLetterResult, WriteError>> {
        Box::pin(async move { self.step(step).await })
    }
}

impl<K: Key, V: Value + Clone> Inner<K, V> {
    fn row(&self, letter: StoredLetter<V>) -> DeadLetterRow {
        let node = match &self.kind {
            Kind::Memory(_) => self.cache.core().node.shared().id().to_owned(),
            Kind::Durable(_) => String::new(),
        };
        DeadLetterRow {
            node,
            value: self.json(&letter.value),
            id: letter.id,
            key: letter.key,
            version: letter.version,
            tries: letter.tries,
            reason: letter.reason,
            since_ms: letter.since_ms,
        }
    }

    fn json(&self, value: &LetterValue<V>) -> Option<String> {
        match (&self.kind, value) {
            (Kind::Durable(durable), LetterValue::Stored(text)) => durable.json(text),
            (Kind::Memory(_), LetterValue::Here(value)) => {
                let recorder = &self.cache.core().recorder;
                recorder.contain(|| serde_json::to_string(&**value).ok()).flatten()
            }
            _ => None,
        }
    }
}
