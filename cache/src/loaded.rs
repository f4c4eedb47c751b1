use std::time::Duration;

/// A value from the source, with what the cache should know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded<V> {
    pub(crate) value: V,
    pub(crate) time_to_live: Option<Duration>,
}

impl<V> Loaded<V> {
    /// This entry's own time to live, on both levels, without jitter. It can shorten what the
    /// cache is set to, and in L2 also prolong it.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = Some(time_to_live);
        self
    }
}

impl<V> From<V> for Loaded<V> {
    fn from(value: V) -> Self {
        Self { value, time_to_live: None }
    }
}
