use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strata_report::{KeyPage, KeyQuery, KeyRow};
use tokio::time::Instant;

use super::order::KeyOrder;
use crate::access::{Actor, Peer};
use crate::console::Console;
use crate::error::ConsoleError;

/// How long a search is remembered after it was made.
const REMEMBERED_FOR: Duration = Duration::from_secs(600);

/// The most rows that are remembered. The newest search is always kept, and anonymous searches are
/// forgotten first.
const MAX_ROWS_KEPT: usize = 200_000;

/// The most searches that are remembered, in all and of each peer.
const KEPT: usize = 400;
const KEPT_OF_PEER: usize = 20;

/// The results of one search, remembered for a while so that they can be read in parts and in any
/// order.
#[derive(Debug)]
pub struct SearchResults {
    /// Its number.
    pub id: u64,
    /// When it was made, milliseconds since the epoch.
    pub at_ms: u64,
    /// What was searched for.
    pub query: KeyQuery,
    /// Its counts, and where to go on; the rows are asked for with [`SearchResults::rows`].
    pub page: KeyPage,
    /// Whether it ended because it had as many rows as it may have.
    pub is_full: bool,
    /// How many keys were found.
    pub n_rows: usize,
    made_at: Instant,
    peer: Peer,
    of_anonymous: bool,
    sorted: Mutex<Sorted>,
}

#[derive(Debug)]
struct Sorted {
    order: KeyOrder,
    rows: Vec<KeyRow>,
}

/// The newest searches.
#[derive(Debug, Default)]
pub(crate) struct RecentSearches {
    newest_last: Mutex<(u64, VecDeque<Arc<SearchResults>>)>,
}

impl Console {
    /// Every key that matches, up to the query's limit of at most [`SearchResults::MAX_ROWS`], without
    /// disturbing a cache. Remembered for ten minutes, unless others search much meanwhile.
    ///
    /// # Errors
    /// As [`Console::keys`].
    pub async fn search_keys(
        &self,
        actor: &Actor,
        cache: &str,
        query: KeyQuery,
    ) -> Result<Arc<SearchResults>, ConsoleError> {
        let (console, cache, finder) = (self.clone(), cache.to_owned(), actor.clone());
        let finding = async move { console.search_all(&finder, &cache, query).await };
        self.inner.queries.run(actor, finding).await
    }

    async fn search_all(
        &self,
        actor: &Actor,
        cache: &str,
        query: KeyQuery,
    ) -> Result<Arc<SearchResults>, ConsoleError> {
        let mut page = self.search(cache, &query, SearchResults::MAX_ROWS).await?;
        let mut rows = std::mem::take(&mut page.rows);
        let is_full = page.cut && rows.len() >= query.limit as usize;
        let order = KeyOrder::default();
        order.sort(&mut rows);
        // SCAN may name a key twice.
        rows.dedup_by(|a, b| a.key == b.key);
        Ok(self.inner.searches.keep(|id| SearchResults {
            id,
            at_ms: crate::clock::now_ms(),
            query,
            page,
            is_full,
            n_rows: rows.len(),
            made_at: Instant::now(),
            peer: actor.peer(),
            of_anonymous: actor.is_anonymous(),
            sorted: Mutex::new(Sorted { order, rows }),
        }))
    }

    /// A search that is still remembered.
    pub fn search_results(&self, id: u64) -> Option<Arc<SearchResults>> {
        self.inner.searches.get(id)
    }
}

impl SearchResults {
    /// The most rows of one search.
    pub const MAX_ROWS: u32 = 100_000;

    /// `n` rows from the row `from` on, in this order. Sorting many takes milliseconds, so it is
    /// done on a thread of its own.
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

impl RecentSearches {
    fn keep(&self, found: impl FnOnce(u64) -> SearchResults) -> Arc<SearchResults> {
        let mut kept = self.newest_last.lock().unwrap_or_else(PoisonError::into_inner);
        let (n_made, searches) = &mut *kept;
        *n_made += 1;
        let found = Arc::new(found(*n_made));
        searches.push_back(Arc::clone(&found));
        let mut n_rows: usize = searches.iter().map(|found| found.n_rows).sum();
        let per_peer = searches.iter().filter(|each| each.peer == found.peer).count();
        if per_peer > KEPT_OF_PEER {
            n_rows -= forget_oldest_of(searches, &found.peer);
        }
        while (n_rows > MAX_ROWS_KEPT && searches.len() > 1) || searches.len() > KEPT {
            let Some(most) = peer_with_most(searches) else { break };
            n_rows -= forget_oldest_of(searches, &most);
        }
        found
    }

    fn get(&self, id: u64) -> Option<Arc<SearchResults>> {
        let kept = self.newest_last.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.iter().find(|found| found.id == id).cloned()
    }

    /// Forgets what is old.
    pub(crate) fn forget(&self) {
        let mut kept = self.newest_last.lock().unwrap_or_else(PoisonError::into_inner);
        kept.1.retain(|found| found.made_at.elapsed() < REMEMBERED_FOR);
    }
}

/// The peer whose searches have the most rows, the newest search of all left out. Anonymous peers go
/// first.
fn peer_with_most(searches: &VecDeque<Arc<SearchResults>>) -> Option<Peer> {
    let mut rows: HashMap<&Peer, usize> = HashMap::new();
    searches.iter().for_each(|found| *rows.entry(&found.peer).or_default() += found.n_rows);
    let anonymous_go = searches.iter().any(|found| found.of_anonymous);
    let older = searches.range(..searches.len().saturating_sub(1));
    let may_go = older.rev().filter(|found| found.of_anonymous || !anonymous_go);
    may_go.max_by_key(|found| rows.get(&found.peer)).map(|found| found.peer.clone())
}

/// How many rows that frees.
fn forget_oldest_of(searches: &mut VecDeque<Arc<SearchResults>>, peer: &Peer) -> usize {
    let oldest = searches.iter().position(|found| found.peer == *peer);
    oldest.and_then(|at| searches.remove(at)).map_or(0, |found| found.n_rows)
}

#[cfg(test)]
mod tests {
    use strata_report::LevelChoice;

    use super::*;

    fn keep(searches: &RecentSearches, peer: &str, n_rows: usize) -> u64 {
        let found = |id| SearchResults {
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
            of_anonymous: peer.starts_with("anonymous"),
            sorted: Mutex::new(Sorted { order: KeyOrder::default(), rows: Vec::new() }),
        };
        searches.keep(found).id
    }

    #[test]
    fn a_flood_of_searches_pushes_out_its_own_alone() {
        let searches = RecentSearches::default();
        let anna = [keep(&searches, "anna", 1_000), keep(&searches, "anna", 1_000)];
        let flood: Vec<_> = (0..100).map(|_| keep(&searches, "flood", 90_000)).collect();
        assert!(anna.iter().all(|id| searches.get(*id).is_some()));
        assert!(searches.get(flood[99]).is_some() && searches.get(flood[0]).is_none());
        for _ in 0..100 {
            keep(&searches, "small", 0);
        }
        assert!(searches.newest_last.lock().unwrap().1.len() <= 2 + KEPT_OF_PEER + 2);
    }

    #[test]
    fn the_newest_search_is_kept_however_large_it_is() {
        let searches = RecentSearches::default();
        keep(&searches, "anna", 1_000);
        let large = keep(&searches, "ben", MAX_ROWS_KEPT + 1);
        assert!(searches.get(large).is_some());
    }

    #[test]
    fn anonymous_searches_go_before_those_of_known_people_however_few_rows_they_have() {
        let searches = RecentSearches::default();
        let anna = keep(&searches, "anna", 100_000);
        let anonymous: Vec<_> =
            (0..8).map(|n| keep(&searches, &format!("anonymous {n}"), 60_000)).collect();
        assert!(searches.get(anna).is_some());
        let is_kept = |id: &&u64| searches.get(**id).is_some();
        assert_eq!(anonymous.iter().filter(is_kept).count(), 1);
        let ben = keep(&searches, "ben", 100_000);
        assert!(!anonymous.iter().any(|id| is_kept(&id)));
        let last = keep(&searches, "anonymous 9", 60_000);
        assert!([anna, ben, last].iter().all(|id| is_kept(&id)), "the newest is always kept");
    }
}
