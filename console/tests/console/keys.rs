//! The search for keys over both levels, on real nodes that share a real Redis.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use strata_cache::{Cache, Node};
use strata_console::{Actor, Console, ConsoleError, KeyOrder, SearchResults};
use strata_report::{KeyPage, KeyQuery, KeyRow, LevelChoice, What};
use strata_testing::RedisServer;

use crate::support::{FakeNode, console, operator};

const MINUTE: Duration = Duration::from_secs(60);

/// Two nodes that share a Redis.
struct House {
    _redis: RedisServer,
    console: Console,
    users: Vec<Cache<u64, String>>,
}

impl House {
    async fn build() -> Self {
        let redis = RedisServer::start().await;
        let (mut nodes, mut users) = (Vec::new(), Vec::new());
        for id in ["1", "2"] {
            let node = Node::builder("test").id(id).redis_url(&redis.url()).start().await.unwrap();
            let built = Cache::builder("users")
                .l1_entries(10_000)
                .time_to_live(MINUTE)
                .l2_time_to_live(MINUTE)
                .build(&node)
                .unwrap();
            users.push(built);
            nodes.push(Arc::new(node));
        }
        let console = console(&nodes);
        Self { _redis: redis, console, users }
    }

    async fn reads(&self, node: usize, keys: impl Iterator<Item = u64>) {
        for key in keys {
            let load = move || async move { Ok::<_, std::io::Error>(Some(format!("user {key}"))) };
            self.users[node].get_or_load(&key, load).await.unwrap();
        }
    }

    async fn search(&self, pattern: &str, level: LevelChoice, limit: u32) -> Vec<KeyPage> {
        let mut query = KeyQuery { pattern: pattern.to_owned(), level, limit, cursor: None };
        let mut pages = Vec::new();
        loop {
            let page = self.console.keys(&operator(), "users", &query).await.unwrap();
            assert!(page.rows.len() <= limit as usize);
            assert_eq!(page.cut, page.next.is_some());
            query.cursor.clone_from(&page.next);
            pages.push(page);
            if query.cursor.is_none() {
                return pages;
            }
        }
    }
}

fn rows(pages: &[KeyPage]) -> Vec<&KeyRow> {
    pages.iter().flat_map(|page| &page.rows).collect()
}

#[tokio::test]
async fn a_search_finds_each_key_once_and_says_where_it_lies() {
    let house = House::build().await;
    house.reads(0, 1..=300).await;
    house.reads(1, 1..=100).await;
    for limit in [1_000, 7] {
        let pages = house.search("1*", LevelChoice::Any, limit).await;
        let rows = rows(&pages);
        let keys: BTreeSet<_> = rows.iter().map(|row| row.key.as_str()).collect();
        assert_eq!((rows.len(), keys.len()), (111, 111), "limit {limit}");
        assert!(keys.iter().all(|key| key.starts_with('1')));
        let row = |key: &str| *rows.iter().find(|row| row.key == key).unwrap();
        assert_eq!(
            (row("17").l1.as_slice(), row("17").l2),
            (["1", "2"].map(String::from).as_slice(), Some(true))
        );
        assert_eq!(row("150").l1, ["1"]);
        assert!(row("150").bytes.unwrap() > 8 && row("150").expires_in_ms.unwrap() > 50_000);
        assert_eq!(row("150").group.as_deref(), Some("all"));
        assert_eq!(
            pages[0].l1_found.iter().map(|node| node.entries).collect::<Vec<_>>(),
            [111, 12]
        );
    }
}

#[tokio::test]
async fn a_search_of_one_level_shows_that_level() {
    let house = House::build().await;
    house.reads(0, 1..=50).await;
    for level in [LevelChoice::L1, LevelChoice::L2] {
        for limit in [100, 3] {
            let pages = house.search("*", level, limit).await;
            let found = rows(&pages);
            let keys: BTreeSet<_> = found.iter().map(|row| &row.key).collect();
            assert_eq!((found.len(), keys.len()), (50, 50), "{level:?} {limit}");
            assert!(found.iter().all(|row| row.l2 == Some(true) && row.l1 == ["1"]));
        }
    }
    let pages = house.search("*", LevelChoice::L2, 100).await;
    assert_eq!(pages.iter().filter_map(|page| page.l2_found).sum::<u64>(), 50);
    assert!(pages[0].l1_found.is_empty() && pages[0].l2_scanned > Some(0));
}

#[tokio::test]
async fn a_search_that_makes_no_sense_is_refused() {
    let console = console(&[FakeNode::new("1")]);
    let query = |pattern: &str, limit, cursor: Option<&str>| KeyQuery {
        pattern: pattern.to_owned(),
        level: LevelChoice::Any,
        limit,
        cursor: cursor.map(str::to_owned),
    };
    let refused =
        async |query: KeyQuery| console.keys(&operator(), "users", &query).await.unwrap_err();
    assert!(matches!(refused(query("", 1, None)).await, ConsoleError::BadPattern(_)));
    assert_eq!(refused(query("*", 0, None)).await, ConsoleError::BadLimit(1_000));
    assert_eq!(refused(query("*", 1_001, None)).await, ConsoleError::BadLimit(1_000));
    assert_eq!(refused(query("*", 1, Some("x"))).await, ConsoleError::BadCursor);
    let unknown = console.keys(&operator(), "cats", &query("*", 1, None)).await.unwrap_err();
    assert_eq!(unknown, ConsoleError::UnknownCache("cats".to_owned()));
}

#[tokio::test]
async fn a_key_has_a_history_and_an_inspection_leaves_no_trace() {
    let house = House::build().await;
    house.reads(0, [7].into_iter()).await;
    house.reads(1, [7].into_iter()).await;
    house.console.invalidate_key(&operator(), "users", "7").await.unwrap();
    let before = house.users[0].report().outcomes;
    let look = house.console.look(&Actor::local(), "users", "7").await.unwrap();
    let on = |node: &str| -> Vec<&What> {
        look.events.iter().filter(|event| event.node == node).map(|event| &event.what).collect()
    };
    assert!(matches!(on("1")[0], What::Loaded { .. }), "{look:?}");
    assert!(matches!(on("2")[0], What::FromL2 { .. }), "{look:?}");
    for node in ["1", "2"] {
        let invalidated = |what: &&What| matches!(what, What::Invalidated { .. });
        assert!(on(node).iter().any(invalidated), "{look:?}");
    }
    assert!(look.events_since_ms.is_some());
    assert_eq!(house.users[0].report().outcomes, before);
}

#[tokio::test]
async fn a_search_is_remembered_whole_and_read_in_parts_in_any_order() {
    let house = House::build().await;
    house.reads(0, 1..=2_500).await;
    let query =
        |limit| KeyQuery { pattern: "*".to_owned(), level: LevelChoice::Any, limit, cursor: None };
    let found = house
        .console
        .search_keys(&operator(), "users", query(SearchResults::MAX_ROWS))
        .await
        .unwrap();
    assert_eq!((found.n_rows, found.is_full), (2_500, false));
    let again = || house.console.search_results(found.id).unwrap();
    let names = |rows: Vec<KeyRow>| rows.into_iter().map(|row| row.key).collect::<Vec<_>>();
    let order = |text: &str| text.parse::<KeyOrder>().unwrap();
    assert_eq!(names(again().rows(order("key"), 0, 3).await), ["1", "10", "100"]);
    assert_eq!(names(again().rows(order("-key"), 0, 2).await), ["999", "998"]);
    assert_eq!(names(again().rows(order("key"), 2_499, 100).await), ["999"]);
    let cut = house.console.search_keys(&operator(), "users", query(1_000)).await.unwrap();
    assert_eq!((cut.n_rows, cut.is_full, cut.page.cut), (1_000, true, true));
    let refused = house
        .console
        .search_keys(&operator(), "users", query(SearchResults::MAX_ROWS + 1))
        .await
        .unwrap_err();
    assert_eq!(refused, ConsoleError::BadLimit(SearchResults::MAX_ROWS));
}
