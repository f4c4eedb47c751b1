use std::sync::Arc;

use strata_report::{DeadLetterAction, DeadLetterResult};

use super::cursor::Cursor;
use super::letter::{LetterScan, MoveCounts, StoredLetter, Values};
use crate::key::{Key, Value};
use crate::node::{DeadLetterFilter, DeadLetterStep};
use crate::write_behind::inner::Kind;
use crate::write_behind::row::WriteError;

/// How many are examined in one round trip, and moved in another.
pub(crate) const AT_ONCE: usize = 128;

/// If few letters match, a page ends after this many looks, so that the caller gets an answer soon.
const LOOKS_OF_A_PAGE: usize = 16;

/// The longest page.
pub(super) const MAX_PAGE: usize = 1_000;

/// The dead letters of a page, the next cursor, and the total number.
pub(super) struct Page<V> {
    pub(super) letters: Vec<StoredLetter<V>>,
    pub(super) next: Option<String>,
    pub(super) total: u64,
    /// The time of the first look.
    pub(super) until_ms: Option<u64>,
}

impl<K: Key, V: Value + Clone> Kind<K, V> {
    /// One page of matching dead letters.
    pub(super) async fn page(
        &self,
        filter: &DeadLetterFilter,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<V>, WriteError> {
        let limit = limit.min(MAX_PAGE);
        let mut cursor = Cursor::read(after);
        let mut page = Page { letters: Vec::new(), next: None, total: 0, until_ms: None };
        for _ in 0..LOOKS_OF_A_PAGE {
            let scan = self.scan(filter, &cursor, Values::With).await?;
            page.total = scan.total;
            page.until_ms = page.until_ms.or(scan.until_ms);
            page.next = next(&scan);
            let matching =
                scan.letters.into_iter().filter(|letter| filter.matches(&letter.fields()));
            page.letters.extend(matching);
            if page.letters.len() > limit {
                page.letters.truncate(limit);
                let last = page.letters.last().map(|letter| Cursor::text(&letter.id, scan.until));
                page.next = last.or_else(|| after.map(str::to_owned));
            }
            if page.letters.len() >= limit || page.next.is_none() {
                break;
            }
            cursor = Cursor::read(page.next.as_deref());
        }
        Ok(page)
    }

    /// One step of a run: examines some dead letters and moves the matching ones.
    pub(super) async fn step(&self, step: &DeadLetterStep) -> Result<DeadLetterResult, WriteError> {
        let DeadLetterStep { action, filter, from } = step;
        let scan = self.scan(filter, &Cursor::read(from.as_deref()), Values::Without).await?;
        let (examined, next, total) = (scan.letters.len() as u64, next(&scan), scan.total);
        let matching = scan.letters.into_iter().filter(|letter| filter.matches(&letter.fields()));
        let matching: Vec<_> = matching.collect();
        let moved = match (matching.is_empty(), action) {
            (true, _) => MoveCounts { left: total, ..MoveCounts::default() },
            (false, DeadLetterAction::Redrive) => self.redrive(matching).await?,
            (false, DeadLetterAction::Drop) => self.forget(matching).await?,
        };
        let MoveCounts { redriven, superseded, dropped, left } = moved;
        Ok(DeadLetterResult { redriven, superseded, dropped, examined, left, next })
    }

    async fn scan(
        &self,
        filter: &DeadLetterFilter,
        cursor: &Cursor,
        values: Values,
    ) -> Result<LetterScan<V>, WriteError> {
        match self {
            Self::Memory(memory) => Ok(memory.scan(filter, cursor, AT_ONCE)),
            Self::Durable(durable) => durable.scan(filter, cursor, (AT_ONCE, values)).await,
        }
    }

    async fn redrive(&self, letters: Vec<StoredLetter<V>>) -> Result<MoveCounts, WriteError> {
        match self {
            Self::Memory(memory) => Arc::clone(memory).redrive(letters).await,
            Self::Durable(durable) => Arc::clone(durable).redrive(letters).await,
        }
    }

    async fn forget(&self, letters: Vec<StoredLetter<V>>) -> Result<MoveCounts, WriteError> {
        match self {
            Self::Memory(memory) => Ok(memory.forget(&letters)),
            Self::Durable(durable) => durable.forget(&letters).await,
        }
    }
}

fn next<V>(scan: &LetterScan<V>) -> Option<String> {
    let last = scan.letters.last().filter(|_| scan.has_more)?;
    Some(Cursor::text(&last.id, scan.until))
}
