use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use strata_cache::{BuildError, Cache, LoadError, Node, Pattern, Read};

use crate::ctx::Freshness;
use crate::reply::WriteNote;
use crate::store::{Store, TimelinePage};

/// Names one page of an author's timeline, as text `author:{id}:page:{n}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimelineKey {
    /// The author.
    pub author: i64,
    /// The page; the first is 1.
    pub page: u32,
}

/// The text is no timeline key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read the timeline key: it must be author:ID:page:N")]
pub struct TimelineKeyError;

/// Timelines: a page nobody reads leaves soon, and all pages of an author leave with a new post.
#[derive(Clone)]
pub(crate) struct CachedTimelines {
    cache: Cache<TimelineKey, TimelinePage>,
    store: Store,
}

impl CachedTimelines {
    pub(crate) const NAME: &'static str = "timelines";
    const L1_ENTRIES: u64 = 1_000;
    const TIME_TO_IDLE: Duration = Duration::from_secs(30);
    const TIME_TO_LIVE: Duration = Duration::from_secs(300);
    const L2_TIME_TO_LIVE: Duration = Duration::from_secs(600);
    const NEGATIVE_TIME_TO_LIVE: Duration = Duration::from_secs(15);

    pub(crate) fn build(node: &Node, store: &Store) -> Result<Self, BuildError> {
        let cache = Cache::builder(Self::NAME)
            .l1_entries(Self::L1_ENTRIES)
            .time_to_idle(Self::TIME_TO_IDLE)
            .time_to_live(Self::TIME_TO_LIVE)
            .l2_time_to_live(Self::L2_TIME_TO_LIVE)
            .negative_time_to_live(Self::NEGATIVE_TIME_TO_LIVE)
            .jitter(0.1)
            .build(node)?;
        Ok(Self { cache, store: store.clone() })
    }

    pub(crate) async fn read(
        &self,
        how: Freshness,
        key: TimelineKey,
    ) -> Result<Read<TimelinePage>, LoadError> {
        let store = self.store.clone();
        let load = move || async move { store.timeline(key.author, key.page).await };
        match how {
            Freshness::Cached => self.cache.get_or_load(&key, load).await,
            Freshness::Bypass => self.cache.bypass(load()).await,
        }
    }

    /// Drops every page of an author.
    pub(crate) async fn invalidate_author(&self, author: i64) -> WriteNote {
        let pattern = Pattern::prefix(&format!("author:{author}:"));
        let effect = self.cache.invalidate_pattern(&pattern).await;
        WriteNote::new(Self::NAME, pattern.as_str(), effect)
    }
}

impl fmt::Display for TimelineKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "author:{}:page:{}", self.author, self.page)
    }
}

impl FromStr for TimelineKey {
    type Err = TimelineKeyError;

    // Only the text that `Display` writes is a key: `+1` and `01` would be other names for page 1.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.strip_prefix("author:").and_then(|rest| rest.split_once(":page:"));
        let key = parts.and_then(|(author, page)| {
            Some(Self { author: author.parse().ok()?, page: page.parse().ok()? })
        });
        key.filter(|key| key.to_string() == text).ok_or(TimelineKeyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeline_key_reads_back_from_its_text() {
        for author in [i64::MIN, -1, 0, 1, 17, i64::MAX] {
            for page in [0, 1, 42, u32::MAX] {
                let key = TimelineKey { author, page };
                assert_eq!(key.to_string().parse(), Ok(key));
            }
        }
    }

    #[test]
    fn no_other_text_is_a_timeline_key() {
        let texts = [
            "",
            "author:1",
            "author:1:page:",
            "author::page:1",
            "author:1:page:+1",
            "author:01:page:1",
            "author:1:page:-1",
            "author:1:page:1 ",
            " author:1:page:1",
            "author:1:page:4294967296",
            "author:1:page:1:page:1",
            "AUTHOR:1:page:1",
        ];
        for text in texts {
            assert_eq!(text.parse::<TimelineKey>(), Err(TimelineKeyError), "{text:?}");
        }
    }
}
