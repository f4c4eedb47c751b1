//! Keys and patterns that look like other syntax.

use std::io::Error;

use strata_cache::report::{Effect, L2Look, Outcome};
use strata_cache::{Cache, CacheError, Node, Pattern, PatternError, Target};

use crate::support::ways::onlooker;
use crate::support::{Redis, eventually, lonely_node};

type Texts = Cache<String, String>;

const ODD: [&str; 40] = [
    "",
    " ",
    "a",
    "b",
    "ab",
    "\n",
    "a\nb",
    "\r\n",
    "\0",
    "a\0b",
    "*",
    "a*",
    "?",
    "a?",
    "[a-z]",
    "[",
    "]",
    "[^a]",
    "\\",
    "a\\",
    "\\*",
    "^",
    "-",
    ":",
    "a:b",
    "::",
    "{a}",
    "!bus",
    "lease:",
    "STR1",
    "\"",
    "'",
    "é",
    "e\u{301}",
    "🦀",
    "👨‍👩‍👧",
    "\u{202e}cba",
    "\u{200f}",
    "\u{feff}",
    "ß",
];

fn texts(node: &Node) -> Texts {
    Cache::builder("texts").build(node).unwrap()
}

async fn read(cache: &Texts, key: &str) -> Outcome {
    let value = format!("of {key}");
    let load = {
        let value = value.clone();
        async || Ok::<_, Error>(Some(value))
    };
    let read = cache.get_or_load(&key.to_owned(), load).await.unwrap();
    assert_eq!(*read.value.unwrap(), value, "{key:?}");
    read.outcome
}

async fn is_cached(cache: &Texts, key: &str) -> bool {
    cache.get(&key.to_owned()).await.outcome != Outcome::Missed
}

#[tokio::test]
async fn an_odd_key_is_found_on_every_level_and_node_and_taken_from_them_alone() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (texts(&one), texts(&two));
    for key in ODD {
        assert_eq!(read(&here, key).await, Outcome::Loaded, "{key:?}");
        assert_eq!(read(&there, key).await, Outcome::L2Hit, "{key:?}");
        assert_eq!(read(&there, key).await, Outcome::L1Hit, "{key:?}");
        assert!(one.look_l1("texts", key).await.unwrap().is_some(), "{key:?}");
        let look = one.look_l2("texts", key).await.unwrap();
        assert!(matches!(look, Some(L2Look::Entry(_))), "{key:?}: {look:?}");
    }
    for (n, key) in ODD.iter().enumerate() {
        let effect = here.invalidate(&(*key).to_owned()).await;
        assert_eq!(effect, Effect::Removed { entries: 1 }, "{key:?}");
        eventually("node 2 hears", async || !is_cached(&there, key).await).await;
        for later in &ODD[n + 1..] {
            assert_eq!(read(&there, later).await, Outcome::L1Hit, "{later:?} left with {key:?}");
        }
    }
}

#[tokio::test]
async fn a_prefix_that_is_an_id_takes_no_other_id_whatever_it_looks_like() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (texts(&one), texts(&two));
    let page = |id: &str| format!("{id}:page");
    for id in ODD {
        for key in ODD {
            read(&here, &page(key)).await;
            read(&there, &page(key)).await;
        }
        let pattern = Pattern::prefix(&page(id));
        assert_eq!(
            one.match_l1("texts", &pattern, 9).await.unwrap(),
            (1, vec![page(id)]),
            "{id:?}"
        );
        let planned = one.match_l2("texts", &pattern, 9).await.unwrap();
        assert_eq!(planned, Some((1, vec![page(id)])), "{id:?}");
        let effect = here.invalidate_pattern(&pattern).await;
        assert_eq!(effect, Effect::Removed { entries: 1 }, "{id:?}");
        eventually("node 2 hears", async || !is_cached(&there, &page(id)).await).await;
        assert_eq!(two.match_l1("texts", &Pattern::prefix(""), 0).await.unwrap().0, 39, "{id:?}");
    }
}

#[tokio::test]
async fn a_star_takes_every_key_even_the_empty_one() {
    let redis = Redis::start().await;
    let one = onlooker(&redis).await;
    let here = texts(&one);
    for key in ODD {
        read(&here, key).await;
    }
    let effect = here.invalidate_pattern(&Pattern::parse("*").unwrap()).await;
    assert_eq!(effect, Effect::Removed { entries: 40 });
    for key in ODD {
        assert!(!is_cached(&here, key).await, "{key:?}");
    }
}

#[tokio::test]
async fn patterns_that_are_none_are_refused_and_the_longest_one_works() {
    let refused = |text: &str| Pattern::parse(text).unwrap_err();
    assert_eq!(refused(""), PatternError::Empty);
    assert_eq!(refused("["), PatternError::UnclosedClass);
    assert_eq!(refused(r"[a\]"), PatternError::UnclosedClass);
    assert_eq!(refused(r"\"), PatternError::TrailingEscape);
    assert_eq!(refused(&"x".repeat(100_000)), PatternError::TooLong);
    assert_eq!(refused(&"*".repeat(9)), PatternError::TooManyStars);
    let cache = texts(&lonely_node().await);
    let longest = "x".repeat(Pattern::MAX_BYTES);
    read(&cache, &longest).await;
    cache.invalidate_pattern(&Pattern::parse(&longest).unwrap()).await;
    assert!(!is_cached(&cache, &longest).await);
}

#[tokio::test]
async fn a_prefix_longer_than_any_pattern_takes_what_it_should_on_every_node() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (texts(&one), texts(&two));
    let long = "x".repeat(Pattern::MAX_BYTES + 1);
    for key in [&long, "y"] {
        read(&here, key).await;
        read(&there, key).await;
    }
    here.invalidate_pattern(&Pattern::prefix(&long)).await;
    eventually("node 2 hears", async || !is_cached(&there, &long).await).await;
    assert_eq!(read(&here, "y").await, Outcome::L1Hit);
    let held: bool = redis.ask(&["EXISTS", "{test}:texts:y"]).await;
    assert!(held);
}

#[tokio::test]
async fn a_text_that_is_no_key_is_refused_by_name() {
    let node = lonely_node().await;
    let _cache = crate::support::cache(&node);
    for text in ["", " 1", "one", "18446744073709551616", "-1", "*", "1\0"] {
        let refused = node.invalidate("users", Target::key(text)).await.unwrap_err();
        let bad = CacheError::BadKey { cache: "users".into(), key: text.into() };
        assert_eq!(refused, bad);
        assert_eq!(node.look_l1("users", text).await.unwrap_err(), bad);
    }
}

#[tokio::test]
async fn a_key_of_one_kilobyte_lives_on_both_levels() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let key = "k".repeat(1_024);
    assert_eq!(read(&texts(&one), &key).await, Outcome::Loaded);
    assert_eq!(read(&texts(&two), &key).await, Outcome::L2Hit);
}

#[tokio::test]
async fn a_longer_key_is_heard_of_on_other_nodes_like_any_other() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (texts(&one), texts(&two));
    for n_bytes in [1_025, 65_535, 65_536, 100_000] {
        let key = "k".repeat(n_bytes);
        read(&here, &key).await;
        read(&there, &key).await;
        assert_eq!(read(&here, &key).await, Outcome::L1Hit, "{n_bytes}");
        assert_eq!(read(&there, &key).await, Outcome::L1Hit, "{n_bytes}");
        here.invalidate(&key).await;
        assert!(!is_cached(&here, &key).await, "{n_bytes}");
        eventually("node 2 hears", async || !is_cached(&there, &key).await).await;
    }
}

#[tokio::test]
async fn a_key_longer_than_one_kilobyte_lives_in_l1_only_and_leaves_nothing_in_l2() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (texts(&one), texts(&two));
    for n_bytes in [1_025, 65_535, 65_536, 100_000] {
        let key = "k".repeat(n_bytes);
        assert_eq!(read(&here, &key).await, Outcome::Loaded, "{n_bytes}");
        assert_eq!(read(&here, &key).await, Outcome::L1Hit, "{n_bytes}");
        assert_eq!(read(&there, &key).await, Outcome::Loaded, "{n_bytes}");
        here.insert(&key, format!("of {key}")).await;
        assert_eq!(read(&here, &key).await, Outcome::L1Hit, "{n_bytes}");
        let held: bool = redis.ask(&["EXISTS", &format!("{{test}}:texts:{key}")]).await;
        assert!(!held, "{n_bytes}");
    }
}

/// A key whose text cannot be read back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct WriteOnly(u64);

impl std::fmt::Display for WriteOnly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "number {}", self.0)
    }
}

impl std::str::FromStr for WriteOnly {
    type Err = std::fmt::Error;

    fn from_str(_: &str) -> Result<Self, Self::Err> {
        Err(std::fmt::Error)
    }
}

/// A key whose text reads back as another key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shouting(String);

impl std::fmt::Display for Shouting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.to_lowercase())
    }
}

impl std::str::FromStr for Shouting {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

async fn other_nodes_hear_of<K: strata_cache::Key>(key: K) {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let build = |node| Cache::<K, u64>::builder("odd").build(node).unwrap();
    let (here, there) = (build(&one), build(&two));
    let value = async |cache: &Cache<K, u64>, row: u64| {
        let load = move || async move { Ok::<_, Error>(Some(row)) };
        *cache.get_or_load(&key, load).await.unwrap().value.unwrap()
    };
    for (way, row) in [2, 4, 6].into_iter().enumerate() {
        value(&here, row).await;
        value(&there, row).await;
        match way {
            0 => drop(here.invalidate(&key).await),
            1 => drop(here.insert(&key, row + 1).await),
            _ => drop(here.invalidate_softly(&key).await),
        }
        eventually("node 2 hears", async || value(&there, row + 1).await == row + 1).await;
    }
}

#[tokio::test]
async fn other_nodes_hear_of_a_key_whose_text_cannot_be_read_back() {
    other_nodes_hear_of(WriteOnly(1)).await;
}

#[tokio::test]
async fn other_nodes_hear_of_a_key_whose_text_reads_back_as_another() {
    other_nodes_hear_of(Shouting("LOUD".to_owned())).await;
}
