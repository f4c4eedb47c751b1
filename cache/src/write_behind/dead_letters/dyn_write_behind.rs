use std::sync::Arc;

use strata_report::{DeadLetterPage, DeadLetterResult, DeadLetterRow, WriteBehindReport};

use super::letter::{LetterValue, StoredLetter};
use crate::error::CacheError;
use crate::key::{Key, Value};
use crate::node::{DeadLetterList, DeadLetterStep, DynWriteBehind};
use crate::target::Target;
use crate::user_code::BoxFuture;
use crate::write_behind::handle::WriteBehind;
use crate::write_behind::inner::{Inner, Kind};

impl<K: Key, V: Value + Clone> DynWriteBehind for Inner<K, V> {
    fn cache(&self) -> &str {
        self.cache.name()
    }

    fn overtaken(&self, target: &Target) {
        let Kind::Durable(durable) = &self.kind else { return };
        let overtaken = self.cache.core().recorder.contain(|| durable.overtaken(target));
        // What it is about is unknown, so no unwritten value on this node counts any more.
        if overtaken.is_none() {
            durable.on_gap();
        }
    }

    fn on_gap(&self) {
        if let Kind::Durable(durable) = &self.kind {
            durable.on_gap();
        }
    }

    fn report(self: Arc<Self>) -> WriteBehindReport {
        WriteBehind { inner: self }.report()
    }

    fn is_durable(&self) -> bool {
        matches!(self.kind, Kind::Durable(_))
    }

    fn dead_letters(
        self: Arc<Self>,
        list: DeadLetterList,
    ) -> BoxFuture<'static, Result<DeadLetterPage, CacheError>> {
        Box::pin(async move {
            let page = self.kind.page(&list.filter, list.after.as_deref(), list.limit).await;
            let page = page.map_err(|_| self.letters_away())?;
            let rows = page.letters.into_iter().map(|letter| self.row(letter)).collect();
            let (next, total, until_ms) = (page.next, page.total, page.until_ms);
            Ok(DeadLetterPage { rows, next, total, until_ms, partial: None })
        })
    }

    fn move_dead_letters(
        self: Arc<Self>,
        step: DeadLetterStep,
    ) -> BoxFuture<'static, Result<DeadLetterResult, CacheError>> {
        Box::pin(async move { self.step(step).await.map_err(|_| self.letters_away()) })
    }
}

impl<K: Key, V: Value + Clone> Inner<K, V> {
    fn letters_away(&self) -> CacheError {
        CacheError::DeadLettersAway(self.cache.name().to_owned())
    }

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
