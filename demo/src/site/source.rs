use serde::Serialize;

use super::Site;
use crate::cached::TimelineKey;
use crate::cached::{CachedObjects, CachedPosts, CachedTimelines, CachedUsers};
use crate::ctx::Freshness;
use crate::error::DemoError;
use crate::site::MAX_KEY_BYTES;

/// A key of one of the demo's caches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheKey {
    /// Of `users`.
    User(i64),
    /// Of `posts`.
    Post(i64),
    /// Of `timelines`.
    Timeline(TimelineKey),
    /// Of `objects`.
    Object(String),
}

impl CacheKey {
    /// The names of the demo's caches.
    pub const CACHES: [&'static str; 4] =
        [CachedUsers::NAME, CachedPosts::NAME, CachedTimelines::NAME, CachedObjects::NAME];

    /// Reads a key from its text; `None` where the cache has no such keys or is none of ours.
    pub fn parse(cache: &str, key: &str) -> Option<Self> {
        match cache {
            CachedUsers::NAME => key.parse().ok().map(Self::User),
            CachedPosts::NAME => key.parse().ok().map(Self::Post),
            CachedTimelines::NAME => key.parse().ok().map(Self::Timeline),
            CachedObjects::NAME if (1..=MAX_KEY_BYTES).contains(&key.len()) => {
                Some(Self::Object(key.to_owned()))
            }
            _ => None,
        }
    }
}

impl Site {
    /// What the database has for a key, as the cache would hold it, in JSON; `None` is "not
    /// found". Neither reads nor fills a cache, and checks nobody's rights.
    ///
    /// # Errors
    /// [`DemoError::Source`].
    pub async fn source_json(&self, key: &CacheKey) -> Result<Option<String>, DemoError> {
        Ok(match key {
            CacheKey::User(id) => json(self.store.user(*id).await?.as_ref()),
            CacheKey::Post(id) => json(self.store.post(*id).await?.as_ref()),
            CacheKey::Timeline(key) => {
                json(self.store.timeline(key.author, key.page).await?.as_ref())
            }
            CacheKey::Object(key) => json(Some(&self.store.object(key).await?)),
        })
    }

    /// Reads a key through its cache, as a request would.
    ///
    /// # Errors
    /// [`DemoError::Source`].
    pub async fn read_key(&self, key: &CacheKey) -> Result<(), DemoError> {
        match key {
            CacheKey::User(id) => drop(self.users.read(Freshness::Cached, *id).await?),
            CacheKey::Post(id) => drop(self.posts.read(Freshness::Cached, *id).await?),
            CacheKey::Timeline(key) => drop(self.timelines.read(Freshness::Cached, *key).await?),
            CacheKey::Object(key) => drop(self.objects.read(Freshness::Cached, key).await?),
        }
        Ok(())
    }
}

// Rows are plain fields, so they always have a JSON form.
fn json(row: Option<&impl Serialize>) -> Option<String> {
    row.and_then(|row| serde_json::to_string(row).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_its_cache_writes_it() {
        assert_eq!(CacheKey::parse("users", "4"), Some(CacheKey::User(4)));
        let page = CacheKey::Timeline(TimelineKey { author: 1, page: 2 });
        assert_eq!(CacheKey::parse("timelines", "author:1:page:2"), Some(page));
        assert_eq!(CacheKey::parse("objects", "<b>"), Some(CacheKey::Object("<b>".to_owned())));
        for (cache, key) in [("users", "x"), ("timelines", "1"), ("objects", ""), ("cats", "1")] {
            assert_eq!(CacheKey::parse(cache, key), None, "{cache} {key}");
        }
    }
}
