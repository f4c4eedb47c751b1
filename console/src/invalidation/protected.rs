use std::str::FromStr;

use strata_cache::{Pattern, PatternError, Target};

/// Keys of one cache that nobody may invalidate from a console, as text `cache:pattern`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    cache: String,
    pattern: Pattern,
}

/// Why a text names no protected keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtectedError {
    /// There is no `:` after a cache's name.
    #[error("find the cache before the : of protected keys")]
    NoCache,
    /// What follows is no pattern.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl Protected {
    fn covers(&self, cache: &str, target: &Target) -> bool {
        self.cache == cache
            && match target {
                Target::Key(key) => self.pattern.matches(key),
                Target::Pattern(pattern) => self.pattern.overlaps(pattern),
                // Which keys carry a tag is not known before they are read.
                Target::Tag(_) | Target::All => true,
            }
    }

    /// Why this may not be invalidated, as a sentence; `None` where it may.
    pub(crate) fn refusal(all: &[Self], cache: &str, target: &Target) -> Option<String> {
        let found = all.iter().find(|protected| protected.covers(cache, target))?;
        Some(format!(
            "Keys of {cache} that match {} are protected by the settings of this program.",
            found.pattern
        ))
    }
}

impl FromStr for Protected {
    type Err = ProtectedError;

    fn from_str(text: &str) -> Result<Self, ProtectedError> {
        let named = text.split_once(':').filter(|(cache, _)| !cache.is_empty());
        let (cache, pattern) = named.ok_or(ProtectedError::NoCache)?;
        Ok(Self { cache: cache.to_owned(), pattern: Pattern::parse(pattern)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(cache: &str, target: &Target) -> Option<String> {
        Protected::refusal(&["users:1?".parse().unwrap()], cache, target)
    }

    #[test]
    fn a_protected_key_is_covered_by_itself_and_by_patterns_that_may_match_it() {
        let pattern = |text| Target::Pattern(Pattern::parse(text).unwrap());
        let key = |text: &str| Target::Key(text.to_owned());
        let many =
            [pattern("*"), pattern("*7"), pattern("1[0-4]"), Target::tag("red"), Target::All];
        for target in [key("17")].into_iter().chain(many) {
            assert!(refusal("users", &target).unwrap().contains("1?"), "{target:?}");
            assert_eq!(refusal("posts", &target), None);
        }
        for target in [key("1"), key("170"), pattern("2*"), pattern("???")] {
            assert_eq!(refusal("users", &target), None, "{target:?}");
        }
    }

    #[test]
    fn a_text_without_cache_or_pattern_protects_nothing() {
        assert_eq!("17".parse::<Protected>(), Err(ProtectedError::NoCache));
        assert_eq!(":17".parse::<Protected>(), Err(ProtectedError::NoCache));
        assert_eq!("users:".parse::<Protected>(), Err(PatternError::Empty.into()));
    }
}
