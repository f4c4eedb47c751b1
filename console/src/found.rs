use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_report::{KeyPage, KeyQuery, KeyRow};
use tokio::time::Instant;

use crate::key_order::KeyOrder;
use crate::{Console, ConsoleError};

/// So long a search is remembered after it was made.
const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// So many rows are remembered, the newest search's always.
const MAX_ROWS_KEPT: usize = 200_000;

/// All that one search found, kept for a while so that it can be read in parts and in any order.
#[derive(Debug)]
pub struct Found {
    /// Its number.
    pub id: u64,
    /// When it was made, milliseconds since the epoch.
    pub at_ms: u64,
    /// What was searched for.
    pub query: KeyQuery,
    /// Its counts, and where to go on; the rows are asked for with [`Found::rows`].
    pub page: KeyPage,
    /// Whether it ended because it had as many rows as it may have.
    pub is_full: bool,
    /// How many keys were found.
    pub n_rows: usize,
    made_at: Instant,
    sorted: Mutex<Sorted>,
}

#[derive(Debug)]
struct Sorted {
    order: KeyOrder,
    rows: Vec<KeyRow>,
}

/// The newest searches.
#[derive(Debug, Default)]
pub(crate) struct Finds {
    newest_last: Mutex<(u64, VecDeque<Arc<Found>>)>,
}

impl Console {
    /// Every key that matches, up to the query's limit of at most [`Found::MAX_ROWS`], without
    /// disturbing a cache. Remembered for ten minutes, unless others search much meanwhile.
    ///
    /// # Errors
    /// As [`Console::keys`].
    pub async fn find(&self, cache: &str, query: KeyQuery) -> Result<Arc<Found>, ConsoleError> {
        let mut page = self.search(cache, &query, Found::MAX_ROWS).await?;
        let mut rows = std::mem::take(&mut page.rows);
        let is_full = page.cut && rows.len() >= query.limit as usize;
        let order = KeyOrder::default();
        order.sort(&mut rows);
        // SCAN may name a key twice.
        rows.dedup_by(|a, b| a.key == b.key);
        Ok(self.inner.finds.keep(|id| Found {
            id,
            at_ms: crate::clock::now_ms(),
            query,
            page,
            is_full,
            n_rows: rows.len(),
            made_at: Instant::now(),
            sorted: Mutex::new(Sorted { order, rows }),
        }))
    }

    /// A search that is still remembered.
    pub fn found(&self, id: u64) -> Option<Arc<Found>> {
        self.inner.finds.get(id)
    }
}

impl Found {
    /// The most rows of one search.
    pub const MAX_ROWS: u32 = 100_000;

    /// `n` rows from the row `from` on, in this order. Sorting many takes milliseconds, so it is
    /// done aside.
    pub async fn rows(self: Arc<Self>, order: KeyOrder, from: usize, n: usize) -> Vec<KeyRow> {
        let sorted = tokio::task::spawn_blocking(move || self.part(order, from, n)).await;
        match sorted {
            Ok(rows) => rows,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is going down.
            Err(_) => Vec::new(),
        }
    }

    fn part(&self, order: KeyOrder, from: usize, n: usize) -> Vec<KeyRow> {
        let mut sorted = self.sorted.lock().unwrap_or_else(PoisonError::into_inner);
        if sorted.order != order {
            order.sort(&mut sorted.rows);
            sorted.order = order;
        }
        sorted.rows.iter().skip(from).take(n).cloned().collect()
    }
}

impl Finds {
    fn keep(&self, found: impl FnOnce(u64) -> Found) -> Arc<Found> {
        let mut kept = self.newest_last.lock().unwrap_or_else(PoisonError::into_inner);
        let (n_made, finds) = &mut *kept;
        *n_made += 1;
        let found = Arc::new(found(*n_made));
        finds.push_back(Arc::clone(&found));
        let mut n_rows: usize = finds.iter().map(|found| found.n_rows).sum();
        while n_rows > MAX_ROWS_KEPT && finds.len() > 1 {
            n_rows -= finds.pop_front().map_or(0, |oldest| oldest.n_rows);
        }
        found
    }

    fn get(&self, id: u64) -> Option<Arc<Found>> {
        let kept = self.newest_last.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.iter().find(|found| found.id == id).cloned()
    }

    /// Forgets what is old.
    pub(crate) fn forget(&self) {
        let mut kept = self.newest_last.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.retain(|found| found.made_at.elapsed() < REMEMBERED_FOR);
    }
}
