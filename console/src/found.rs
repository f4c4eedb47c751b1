use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_report::{KeyPage, KeyQuery, KeyRow};
use tokio::time::Instant;

use crate::access::Peer;
use crate::key_order::KeyOrder;
use crate::{Actor, Console, ConsoleError};

/// So long a search is remembered after it was made.
const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// So many rows are remembered, the newest search's always. Those of strangers go first.
const MAX_ROWS_KEPT: usize = 200_000;

/// So many searches are remembered, in all and of each peer.
const KEPT: usize = 400;
const KEPT_OF_PEER: usize = 20;

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
    peer: Peer,
    of_stranger: bool,
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
    pub async fn find(
        &self,
        actor: &Actor,
        cache: &str,
        query: KeyQuery,
    ) -> Result<Arc<Found>, ConsoleError> {
        let (console, cache, finder) = (self.clone(), cache.to_owned(), actor.clone());
        let finding = async move { console.found_for(&finder, &cache, query).await };
        self.inner.looks.make(actor, finding).await
    }

    async fn found_for(
        &self,
        actor: &Actor,
        cache: &str,
        query: KeyQuery,
    ) -> Result<Arc<Found>, ConsoleError> {
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
            peer: actor.peer(),
            of_stranger: actor.is_stranger(),
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
        let of_peer = finds.iter().filter(|each| each.peer == found.peer).count();
        if of_peer > KEPT_OF_PEER {
            n_rows -= forget_oldest_of(finds, &found.peer);
        }
        while (n_rows > MAX_ROWS_KEPT && finds.len() > 1) || finds.len() > KEPT {
            let Some(most) = peer_with_most(finds) else { break };
            n_rows -= forget_oldest_of(finds, &most);
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

/// Whose searches have the most rows, without the newest search of all; among strangers where they
/// have any, and nobody's but theirs for the newest search of one.
fn peer_with_most(finds: &VecDeque<Arc<Found>>) -> Option<Peer> {
    let mut rows: HashMap<&Peer, usize> = HashMap::new();
    finds.iter().for_each(|found| *rows.entry(&found.peer).or_default() += found.n_rows);
    let strangers_go = finds.iter().any(|found| found.of_stranger);
    let older = finds.range(..finds.len().saturating_sub(1));
    let may_go = older.rev().filter(|found| found.of_stranger || !strangers_go);
    may_go.max_by_key(|found| rows.get(&found.peer)).map(|found| found.peer.clone())
}

/// How many rows that frees.
fn forget_oldest_of(finds: &mut VecDeque<Arc<Found>>, peer: &Peer) -> usize {
    let oldest = finds.iter().position(|found| found.peer == *peer);
    oldest.and_then(|at| finds.remove(at)).map_or(0, |found| found.n_rows)
}

#[cfg(test)]
mod tests {
    use strata_report::LevelChoice;

    use super::*;

    fn keep(finds: &Finds, peer: &str, n_rows: usize) -> u64 {
        let found = |id| Found {
            id,
            at_ms: 0,
            query: KeyQuery {
                pattern: "*".to_owned(),
                level: LevelChoice::Any,
                limit: 1,
                cursor: None,
            },
            page: KeyPage::default(),
            is_full: false,
            n_rows,
            made_at: Instant::now(),
            peer: Peer::Person(peer.to_owned()),
            of_stranger: peer.starts_with("stranger"),
            sorted: Mutex::new(Sorted { order: KeyOrder::default(), rows: Vec::new() }),
        };
        finds.keep(found).id
    }

    #[test]
    fn a_flood_of_searches_pushes_out_its_own_alone() {
        let finds = Finds::default();
        let anna = [keep(&finds, "anna", 1_000), keep(&finds, "anna", 1_000)];
        let flood: Vec<_> = (0..100).map(|_| keep(&finds, "flood", 90_000)).collect();
        assert!(anna.iter().all(|id| finds.get(*id).is_some()));
        assert!(finds.get(flood[99]).is_some() && finds.get(flood[0]).is_none());
        for _ in 0..100 {
            keep(&finds, "small", 0);
        }
        assert!(finds.newest_last.lock().unwrap().1.len() <= 2 + KEPT_OF_PEER + 2);
    }

    #[test]
    fn the_newest_search_is_kept_however_large_it_is() {
        let finds = Finds::default();
        keep(&finds, "anna", 1_000);
        let large = keep(&finds, "ben", MAX_ROWS_KEPT + 1);
        assert!(finds.get(large).is_some());
    }

    #[test]
    fn searches_of_strangers_go_before_those_of_people_however_few_rows_they_have() {
        let finds = Finds::default();
        let anna = keep(&finds, "anna", 100_000);
        let strangers: Vec<_> =
            (0..8).map(|n| keep(&finds, &format!("stranger {n}"), 60_000)).collect();
        assert!(finds.get(anna).is_some());
        let is_kept = |id: &&u64| finds.get(**id).is_some();
        assert_eq!(strangers.iter().filter(is_kept).count(), 1);
        let ben = keep(&finds, "ben", 100_000);
        assert!(!strangers.iter().any(|id| is_kept(&id)));
        let last = keep(&finds, "stranger 9", 60_000);
        assert!([anna, ben, last].iter().all(|id| is_kept(&id)), "the newest is always kept");
    }
}
