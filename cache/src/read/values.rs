//! The input and the result of a read.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use strata_report::Outcome;

use crate::clock::Moment;
use crate::error::LoadError;
use crate::l1::Entry;
use crate::user_code::BoxFuture;

/// The result of a read.
#[derive(Debug)]
pub struct Read<V> {
    /// The value. `None` if the source has none, or was not asked.
    pub value: Option<Arc<V>>,
    /// How it was answered.
    pub outcome: Outcome,
    /// The time since the value was loaded from the source, or written.
    pub age: Duration,
    /// The time until the entry expires on this node. `None` if it has no deadline, or is not
    /// cached. Zero if an invalidation came in between, so that the loaded value is not kept.
    pub expires_in: Option<Duration>,
}

/// A value from the source, with facts for the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded<V> {
    pub(crate) value: V,
    pub(crate) time_to_live: Option<Duration>,
    pub(crate) version: u64,
    pub(crate) tags: Vec<Arc<str>>,
}

impl<V> Loaded<V> {
    /// This entry's own time to live, on both levels, without jitter. It can shorten the cache's
    /// time to live, and in L2 also prolong it. With zero the entry is never a hit; more than ten
    /// years count as ten years.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = Some(time_to_live);
        self
    }

    /// The version of the row that the value was made from; 0, the default, is none. It must grow
    /// with each write of the row. A level that holds a newer version keeps it, so a source that
    /// lags behind, such as a replica, or another level cannot bring an older row back. A version
    /// is remembered as long as its entry. An invalidation other than a soft one forgets it, since
    /// the row may have been deleted and made anew. So do eviction and the end of the time to live
    /// with its grace.
    pub fn version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }

    /// Names of the data, besides the key, that the value was made from. [`Cache::invalidate_tag`]
    /// with any of these tags invalidates the entry. An entry with more than 255 tags, or with a
    /// tag above 255 bytes, is kept in L1 only.
    ///
    /// [`Cache::invalidate_tag`]: crate::Cache::invalidate_tag
    pub fn tags<T: Into<Arc<str>>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }
}

impl<V> Loaded<V> {
    pub(crate) fn shared(self) -> Loaded<Arc<V>> {
        let Self { value, time_to_live, version, tags } = self;
        Loaded { value: Arc::new(value), time_to_live, version, tags }
    }
}

impl<V> From<V> for Loaded<V> {
    fn from(value: V) -> Self {
        Self { value, time_to_live: None, version: 0, tags: Vec::new() }
    }
}

/// Asks the source for keys. Keys that it leaves out are "not found".
pub(crate) type Load<K, V> =
    Box<dyn FnOnce(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, Loaded<V>>, LoadError>> + Send>;

impl<V> Read<V> {
    #[inline]
    pub(crate) fn at(now: Moment, entry: Entry<V>, outcome: Outcome) -> Self {
        Self {
            age: now.since(entry.loaded_at),
            expires_in: Some(entry.fresh_until.since(now)),
            value: entry.value.take(),
            outcome,
        }
    }

    pub(crate) fn nothing(outcome: Outcome) -> Self {
        Self { value: None, outcome, age: Duration::ZERO, expires_in: None }
    }
}
