use std::sync::Arc;

use strata_report::{DeadLetterAction, DeadLetterResult};

use super::letter::{DeadLetter, DeadLetters, LetterValue, StoredLetter};
use crate::key::{Key, Value};
use crate::node::{DeadLetterFilter, DeadLetterStep};
use crate::read::to_its_end;
use crate::write_behind::handle::WriteBehind;
use crate::write_behind::inner::{Inner, Kind};
use crate::write_behind::row::WriteError;

impl<K: Key, V: Value + Clone> WriteBehind<K, V> {
    /// Dead letters that match, oldest first: at most `limit`, and no more than 1 000. `after` is
    /// the `next` of the page before; a text that is none begins at the oldest. Of the durable kind
    /// those of all nodes.
    ///
    /// A page looks at some thousand dead letters at most, so that one may be short, or empty,
    /// where few match: go on while `next` is set. What becomes a dead letter after the first page
    /// was asked for is on none of them.
    ///
    /// # Errors
    /// [`WriteError::Away`].
    pub async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<DeadLetters<V>, WriteError> {
        let page = self.inner.kind.page(filter, after, limit).await?;
        let letters = page.letters.into_iter().map(|letter| self.typed(letter)).collect();
        Ok(DeadLetters { letters, next: page.next, total: page.total })
    }

    /// Queues the dead letters that match again, for the sink to try, in the room that they have
    /// already. Where a newer value of a key waits, its dead letter is forgotten instead.
    ///
    /// Goes through all that were there when it began, oldest first, 128 in a step of two round
    /// trips, and leaves Redis half of the time to others; what fails again meanwhile is not tried
    /// twice. Each step runs to its end. Whoever gives up between two steps can call it again, or go
    /// on from the `next` of an answer, by `from`. Two that run at once redrive each dead letter
    /// once.
    ///
    /// # Errors
    /// [`WriteError::Away`], and in memory [`WriteError::Closed`], where the first step failed. Where
    /// a later one fails, the answer says what was done before it, and its `next` where to go on.
    pub async fn redrive_dead_letters(
        &self,
        filter: &DeadLetterFilter,
        from: Option<&str>,
    ) -> Result<DeadLetterResult, WriteError> {
        self.run(DeadLetterAction::Redrive, filter, from).await
    }

    /// Forgets the dead letters that match, in the steps of
    /// [`redrive_dead_letters`](Self::redrive_dead_letters): these acknowledged writes are lost.
    ///
    /// # Errors
    /// [`WriteError::Away`], where the first step failed.
    pub async fn drop_dead_letters(
        &self,
        filter: &DeadLetterFilter,
        from: Option<&str>,
    ) -> Result<DeadLetterResult, WriteError> {
        self.run(DeadLetterAction::Drop, filter, from).await
    }

    async fn run(
        &self,
        action: DeadLetterAction,
        filter: &DeadLetterFilter,
        from: Option<&str>,
    ) -> Result<DeadLetterResult, WriteError> {
        let step = |from| DeadLetterStep { action, filter: filter.clone(), from };
        let mut done = self.inner.step(step(from.map(str::to_owned))).await?;
        while let Some(next) = done.next.clone() {
            match self.inner.step(step(Some(next))).await {
                Ok(step) => done.then(step),
                Err(_) => break,
            }
        }
        Ok(done)
    }

    fn typed(&self, letter: StoredLetter<V>) -> DeadLetter<V> {
        DeadLetter {
            since: letter.since(),
            value: self.inner.kind.value(&letter.value),
            id: letter.id,
            key: letter.key,
            version: letter.version,
            tries: letter.tries,
            reason: letter.reason,
        }
    }
}

impl<K: Key, V: Value + Clone> Inner<K, V> {
    /// One step of a run, to its end also where the caller goes away.
    pub(super) async fn step(
        self: &Arc<Self>,
        step: DeadLetterStep,
    ) -> Result<DeadLetterResult, WriteError> {
        let inner = Arc::clone(self);
        let moving = tokio::spawn(async move { inner.kind.step(&step).await });
        to_its_end(moving).await.unwrap_or(Err(WriteError::Closed))
    }
}

impl<K: Key, V: Value + Clone> Kind<K, V> {
    fn value(&self, value: &LetterValue<V>) -> Option<V> {
        match (self, value) {
            (Self::Durable(durable), LetterValue::Stored(text)) => durable.typed(text),
            (Self::Memory(memory), LetterValue::Here(value)) => memory.copy(value),
            _ => None,
        }
    }
}
