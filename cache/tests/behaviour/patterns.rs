//! L1 and L2 must agree on what a pattern matches.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use strata_cache::Pattern;

use crate::stringmatch::redis_matches;

#[cfg(feature = "redis")]
use crate::support::Redis;

#[cfg(feature = "redis")]
#[tokio::test]
async fn patterns_match_in_l1_what_they_match_in_redis() {
    let redis = Redis::start().await;
    let keys = [
        "",
        "a",
        "b",
        "ab",
        "a*",
        "a?b",
        "[ab]",
        "a-b",
        "^a",
        r"a\b",
        "]",
        "author:1:x",
        "ü",
        "aü",
    ];
    for key in keys.iter().filter(|key| !key.is_empty()) {
        let () = redis.ask(&["SET", key, "1"]).await;
    }
    let patterns = [
        "*",
        "?",
        "a*",
        "a?",
        "[ab]",
        "[^a]*",
        "[a-c]*",
        "[c-a]",
        r"a\*",
        r"\[*",
        r"[\]]",
        "*b",
        "a*b*",
        "[a]b",
        "author:*:x",
        r"\a",
        "[^]",
        "**",
        "a**",
        "??",
        "ü",
        "[ü]",
        r"*\\*",
        "]",
        "^a",
        "-",
        "[a-]*",
    ];
    for text in patterns {
        let Ok(pattern) = Pattern::parse(text) else {
            continue;
        };
        let mut theirs: Vec<String> = redis.ask(&["KEYS", text]).await;
        let mut ours: Vec<&str> =
            keys.iter().copied().filter(|key| !key.is_empty() && pattern.matches(key)).collect();
        theirs.sort();
        ours.sort_unstable();
        assert_eq!(ours, theirs, "{text}");
    }
}

/// Texts with many of the characters that have a meaning in patterns.
fn globs() -> impl Strategy<Value = String> {
    let pieces =
        ["[", "]", "^", "-", r"\", "*", "?", "a", "b", "z", "é", "[a-", "[^", r"\]", "-é]", "[]"];
    vec(select(pieces.to_vec()), 0..8).prop_map(|pieces| pieces.concat())
}

fn keys() -> impl Strategy<Value = String> {
    let pieces = ["a", "b", "z", "é", "ü", "]", r"\", "-", "^", "*"];
    vec(select(pieces.to_vec()), 0..5).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pattern_matches_what_the_algorithm_of_redis_matches(text in globs(), key in keys()) {
        if let Ok(pattern) = Pattern::parse(&text) {
            // In Redis the cache's name precedes both.
            let (theirs, whole) = (format!("c:{text}"), format!("c:{key}"));
            let matched = redis_matches(theirs.as_bytes(), whole.as_bytes());
            prop_assert_eq!(pattern.matches(&key), matched, "{:?} on {:?}", text, key);
        }
    }

    #[test]
    fn a_prefix_matches_what_starts_with_it(prefix in globs(), key in keys(), tail in keys()) {
        let pattern = Pattern::prefix(&prefix);
        let longer = format!("{prefix}{tail}");
        prop_assert!(pattern.matches(&longer));
        prop_assert_eq!(pattern.matches(&key), key.starts_with(&prefix));
    }
}

#[test]
fn many_stars_on_a_long_key_cost_no_more_than_pattern_times_key() {
    let pattern = Pattern::parse(&format!("{}b", "*a".repeat(Pattern::MAX_STARS))).unwrap();
    // Trying every way to share a thousand letters among eight stars would take years.
    assert!(!pattern.matches(&"a".repeat(1_000)));
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn the_algorithm_of_redis_is_ported_as_redis_has_it() {
    let redis = Redis::start().await;
    let keys = ["c:a", "c:b", "c:é", "c:z", "c:]", r"c:\", "c:-", "c:^", "c:b]", "c:a-", "c:aé"];
    for key in keys {
        let () = redis.ask(&["SET", key, "1"]).await;
    }
    let globs = ["[a-]", r"[a-\]]", "[a", "[^", r"[\", "[]a]", "[a-z", "**b", "[é]*"];
    for glob in globs {
        let pattern = format!("c:{glob}");
        let mut theirs: Vec<String> = redis.ask(&["KEYS", &pattern]).await;
        theirs.sort();
        let matched = |key: &&str| redis_matches(pattern.as_bytes(), key.as_bytes());
        let mut ported: Vec<&str> = keys.into_iter().filter(matched).collect();
        ported.sort_unstable();
        assert_eq!(ported, theirs, "{glob}");
    }
}
