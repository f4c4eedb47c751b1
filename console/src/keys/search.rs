use std::collections::{BTreeMap, HashMap};

use strata_cache::{L2Head, Node, Pattern};
use strata_report::{KeyPage, KeyQuery, KeyRow, L1Query, LevelChoice, NodeCount};

use super::cursor::Cursor;
use super::query_queues::{Deadline, QueryQueues};
use super::results::SearchResults;
use crate::access::Actor;
use crate::console::Console;
use crate::error::ConsoleError;
use crate::nodes::{CacheNode, first_with_l2, gather, l1_query};

/// The most keys of Redis that are passed for one page, so that a search for rare keys answers soon and
/// says how far it came.
const MAX_SCANNED: u64 = 200_000;

/// How many keys are asked for at a time.
const STEP_KEYS: usize = 1_000;

impl Console {
    /// One page of the keys that match, in L1 of each node and in L2, without disturbing either.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`], [`ConsoleError::BadPattern`], [`ConsoleError::BadLimit`],
    /// [`ConsoleError::BadCursor`], [`ConsoleError::NodeGone`], [`ConsoleError::Busy`],
    /// [`ConsoleError::TooSlow`].
    pub async fn keys(
        &self,
        actor: &Actor,
        cache: &str,
        query: &KeyQuery,
    ) -> Result<KeyPage, ConsoleError> {
        self.search_in_turn(actor, (cache, query), KeyQuery::MAX_LIMIT).await
    }

    /// The same in one answer of up to [`SearchResults::MAX_ROWS`] rows.
    ///
    /// # Errors
    /// As [`Console::keys`].
    pub async fn all_keys(
        &self,
        actor: &Actor,
        cache: &str,
        query: &KeyQuery,
    ) -> Result<KeyPage, ConsoleError> {
        self.search_in_turn(actor, (cache, query), SearchResults::MAX_ROWS).await
    }

    async fn search_in_turn(
        &self,
        actor: &Actor,
        (cache, query): (&str, &KeyQuery),
        max_limit: u32,
    ) -> Result<KeyPage, ConsoleError> {
        let (console, cache, query) = (self.clone(), cache.to_owned(), query.clone());
        let searching = async move { console.search(&cache, &query, max_limit).await };
        self.inner.queries.run(actor, searching).await
    }

    /// The same, of at most `max_limit` rows.
    pub(crate) async fn search(
        &self,
        cache: &str,
        query: &KeyQuery,
        max_limit: u32,
    ) -> Result<KeyPage, ConsoleError> {
        let nodes = self.nodes_with(cache)?;
        let pattern = Pattern::parse(&query.pattern)?;
        if !(1..=max_limit).contains(&query.limit) {
            return Err(ConsoleError::BadLimit(max_limit));
        }
        let begin = match query.level {
            LevelChoice::L2 => Cursor::scan(0),
            LevelChoice::Any | LevelChoice::L1 => Cursor::L1 { after: None },
        };
        let cursor = query.cursor.as_deref().map_or(Ok(begin), str::parse)?;
        let limit = query.limit as usize;
        let deadline = QueryQueues::deadline();
        let search = Search { cache, pattern, level: query.level, nodes, limit, deadline };
        let mut page = search.page(cursor).await?;
        if page.cut && page.l2_scanned.is_some() {
            page.l2_keys = self.redis_server().await.map(|server| server.keys);
        }
        Ok(page)
    }
}

struct Search<'a> {
    cache: &'a str,
    pattern: Pattern,
    level: LevelChoice,
    nodes: Vec<CacheNode>,
    limit: usize,
    deadline: Deadline,
}

impl Search<'_> {
    async fn page(&self, cursor: Cursor) -> Result<KeyPage, ConsoleError> {
        let mut page = KeyPage { cache: self.cache.to_owned(), ..KeyPage::default() };
        let mut next = Some(cursor);
        if let Some(Cursor::L1 { after }) = &next {
            let after = after.clone();
            next = self.list_l1(&mut page, after.as_deref()).await?;
        }
        while let Some(Cursor::L2 { scan, after }) = next {
            let is_far = page.l2_scanned >= Some(MAX_SCANNED);
            if page.rows.len() >= self.limit || is_far || self.deadline.is_over() {
                next = Some(Cursor::L2 { scan, after });
                break;
            }
            next = self.scan_l2(&mut page, scan, after).await?;
        }
        page.cut = next.is_some();
        page.next = next.map(|next| next.to_string());
        Ok(page)
    }

    /// Keys in L1 of any node, by name; then where to go on.
    async fn list_l1(
        &self,
        page: &mut KeyPage,
        after: Option<&str>,
    ) -> Result<Option<Cursor>, ConsoleError> {
        let mut rows: BTreeMap<String, KeyRow> = BTreeMap::new();
        // One more than fits tells whether there is more.
        let query = l1_query(self.cache, &self.pattern, self.limit + 1);
        let query = L1Query { after: after.map(str::to_owned), ..query };
        let listing = gather(&self.nodes, |node| {
            let query = query.clone();
            async move { self.deadline.walk(self.cache, node.list_l1(query)).await }
        });
        let gathered = listing.await?;
        page.partial = gathered.partial();
        // A node elsewhere may list fewer than were asked for: what follows its last is not known.
        let mut known_to: Option<String> = None;
        // Where L2 is searched as well, that is shown though no node shows its L1.
        let gathered = match self.level {
            LevelChoice::Any if self.has_l2() => gathered,
            _ => gathered.unless_all_missing()?,
        };
        for (node, listed) in gathered.answers {
            let is_whole = node.presence().is_none() || listed.n_keys == listed.rows.len() as u64;
            if let Some(last) = listed.rows.last().filter(|_| !is_whole) {
                let nearer = |known: &String| last.key < *known;
                if known_to.as_ref().is_none_or(nearer) {
                    known_to = Some(last.key.clone());
                }
            }
            if listed.is_partial && page.partial.is_none() {
                page.partial =
                    Some(format!("Node {} had no time to look at all its keys.", node.id()));
            }
            page.l1_found.push(NodeCount { node: node.id().to_owned(), entries: listed.n_keys });
            for row in listed.rows {
                match rows.get_mut(&row.key) {
                    Some(known) => join(known, row),
                    None => drop(rows.insert(row.key.clone(), row)),
                }
            }
        }
        rows.retain(|key, _| known_to.as_ref().is_none_or(|known_to| key <= known_to));
        let has_more = rows.len() > self.limit || known_to.is_some();
        page.rows.extend(rows.into_values().take(self.limit));
        self.look_up_heads(page).await?;
        let last = page.rows.last().filter(|_| has_more).map(|row| row.key.clone());
        Ok(match (last, self.level) {
            (Some(last), _) => Some(Cursor::L1 { after: Some(last) }),
            (None, LevelChoice::Any) => self.has_l2().then(|| Cursor::scan(0)),
            (None, LevelChoice::L1 | LevelChoice::L2) => None,
        })
    }

    /// Adds what L2 knows of the rows so far.
    async fn look_up_heads(&self, page: &mut KeyPage) -> Result<(), ConsoleError> {
        for rows in page.rows.chunks_mut(STEP_KEYS) {
            let keys: Vec<_> = rows.iter().map(|row| row.key.clone()).collect();
            let Some(heads) = self.heads(&keys).await? else { break };
            for (row, head) in rows.iter_mut().zip(heads) {
                add_head(row, head);
            }
        }
        Ok(())
    }

    /// One step of a walk over L2; then where to go on.
    async fn scan_l2(
        &self,
        page: &mut KeyPage,
        scan: u64,
        after: Option<String>,
    ) -> Result<Option<Cursor>, ConsoleError> {
        let Some(node) = first_with_l2(&self.nodes) else { return Ok(None) };
        let Some(step) = node.shared().scan_l2(self.cache, &self.pattern, scan).await? else {
            page.l2_away = true;
            return Ok(None);
        };
        *page.l2_scanned.get_or_insert(0) += Node::KEYS_A_SCAN;
        let mut keys = step.keys;
        keys.sort_unstable();
        keys.dedup();
        keys.retain(|key| after.as_ref().is_none_or(|after| key > after));
        let room = self.limit - page.rows.len();
        // Looked at again with the same cursor, the step begins after the last row.
        let cut_at = (keys.len() > room).then(|| keys[room - 1].clone());
        keys.truncate(room);
        let mut held: HashMap<String, KeyRow> = HashMap::new();
        let asked = if keys.is_empty() { &[] } else { self.nodes.as_slice() };
        let looking = gather(asked, |node| {
            let keys = &keys;
            async move { self.deadline.walk(self.cache, node.among_l1(self.cache, keys)).await }
        });
        let gathered = looking.await?;
        page.partial = page.partial.take().or(gathered.partial());
        for (_, rows) in gathered.answers {
            for row in rows {
                match held.get_mut(&row.key) {
                    Some(known) => join(known, row),
                    None => drop(held.insert(row.key.clone(), row)),
                }
            }
        }
        let Some(heads) = self.heads(&keys).await? else {
            // Redis went away within the step, which is to be looked at again.
            page.l2_away = true;
            return Ok(Some(Cursor::L2 { scan, after }));
        };
        for (key, head) in keys.into_iter().zip(heads) {
            // Leases, and what went away since, are no rows.
            let Some(head) = head else { continue };
            *page.l2_found.get_or_insert(0) += 1;
            let known = held.remove(&key);
            // Those in L1 came first.
            if known.is_some() && self.level == LevelChoice::Any {
                continue;
            }
            let mut row = known.unwrap_or_else(|| KeyRow { key, ..KeyRow::default() });
            // Each key would be a request of its own to a node elsewhere.
            if row.group.is_none() && node.presence().is_none() {
                row.group = node.group_of(self.cache, &row.key).await.ok().flatten();
            }
            add_head(&mut row, Some(head));
            page.rows.push(row);
        }
        page.l2_found.get_or_insert(0);
        Ok(match (cut_at, step.next) {
            (Some(last), _) => Some(Cursor::L2 { scan, after: Some(last) }),
            (None, 0) => None,
            (None, next) => Some(Cursor::scan(next)),
        })
    }

    async fn heads(&self, keys: &[String]) -> Result<Option<Vec<Option<L2Head>>>, ConsoleError> {
        match first_with_l2(&self.nodes) {
            Some(node) => node.shared().heads_l2(self.cache, keys).await,
            None => Ok(None),
        }
    }

    fn has_l2(&self) -> bool {
        first_with_l2(&self.nodes).is_some()
    }
}

/// Adds another node's copy.
fn join(row: &mut KeyRow, other: KeyRow) {
    row.l1.extend(other.l1);
    row.group = row.group.take().or(other.group);
    row.age_ms = row.age_ms.into_iter().chain(other.age_ms).min();
    row.expires_in_ms = row.expires_in_ms.max(other.expires_in_ms);
    row.bytes = row.bytes.max(other.bytes);
}

fn add_head(row: &mut KeyRow, head: Option<L2Head>) {
    row.l2 = Some(head.is_some());
    match head {
        Some(L2Head::Entry { age_ms, expires_in_ms, bytes }) => {
            row.age_ms = row.age_ms.into_iter().chain([age_ms]).min();
            row.expires_in_ms = row.expires_in_ms.max(Some(expires_in_ms));
            row.bytes = Some(bytes);
        }
        Some(L2Head::SomethingElse) => row.l2_something_else = true,
        None => {}
    }
}
