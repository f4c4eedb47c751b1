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
    /// the `next` of the previous page; an invalid text begins at the oldest. For the durable kind
    /// this includes the dead letters of all nodes.
    ///
    /// A page examines at most some thousand dead letters. If few match, it may be short or empty,
    /// so continue while `next` is set. Dead letters that arise after the first page was requested
    /// are not included.
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

    /// Queues the matching dead letters again for the sink, in the room that they already occupy.
    /// If a newer value of a key waits, its dead letter is forgotten instead.
    ///
    /// It processes all dead letters that existed when it began, oldest first. A step processes 128
    /// of them in two round trips, and leaves half of Redis's time to other work. A row that fails
    /// again meanwhile is not tried twice. Each step runs to its end. A caller that stops between
    /// two steps can call it again, or continue from the `next` of a result, by `from`. Two
    /// concurrent runs redrive each dead letter once.
    ///
    /// # Errors
    /// [`WriteError::Away`], and in memory [`WriteError::Closed`], if the first step failed. If a
    /// later step fails, the result says what was done before it, and its `next` where to continue.
    pub async fn redrive_dead_letters(
        &self,
        filter: &DeadLetterFilter,
        from: Option<&str>,
    ) -> Result<DeadLetterResult, WriteError> {
        self.run(DeadLetterAction::Redrive, filter, from).await
    }

    /// Forgets the matching dead letters, in the steps of
    /// [`redrive_dead_letters`](Self::redrive_dead_letters). These acknowledged writes are lost.
    ///
    /// # Errors
    /// [`WriteError::Away`], if the first step failed.
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
    /// One step of a run. Runs to its end even if the caller drops the future.
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
