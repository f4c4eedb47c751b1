//! A text is parsed as a pattern or refused, and a parsed pattern must match as Redis does. The
//! input is the pattern and the key, with a line break between.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strata_cache::Pattern;

#[path = "../stringmatch.rs"]
mod stringmatch;

fuzz_target!(|input: &[u8]| {
    let input = String::from_utf8_lossy(input);
    let (pattern, key) = input.split_once('\n').unwrap_or((&input, ""));
    let prefix = Pattern::prefix(pattern);
    assert_eq!(prefix.matches(key), key.starts_with(pattern), "a prefix stands for itself");
    if let Ok(parsed) = Pattern::parse(pattern) {
        // In Redis the cache's name precedes both.
        let (theirs, whole) = (format!("c:{pattern}"), format!("c:{key}"));
        let matched = stringmatch::redis_matches(theirs.as_bytes(), whole.as_bytes());
        assert_eq!(parsed.matches(key), matched, "{pattern:?} on {key:?}");
    }
});
