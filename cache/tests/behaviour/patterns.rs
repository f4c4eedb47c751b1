//! L1 and L2 must agree on what a pattern matches.

use crate::support::Redis;
use strata_cache::Pattern;

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
