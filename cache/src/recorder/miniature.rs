use std::time::Duration;

use super::label::Hashing;

/// A scaled-down L1 without values: the policy of moka on a sample of the keys.
pub(super) struct Miniature {
    pub(super) factor: f64,
    cache: moka::sync::Cache<u32, u32, Hashing>,
    pub(super) hits: u64,
}

/// How long entries live in L1.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lives {
    pub(crate) time_to_live: Option<Duration>,
    pub(crate) time_to_idle: Option<Duration>,
}

impl Miniature {
    /// `factor` times the capacity of the full one, which has `capacity` for all sampled keys.
    pub(super) fn new(factor: f64, capacity: f64, lives: Lives) -> Self {
        let capacity = (capacity * factor).round() as u64;
        let weigher = |_: &u32, weight: &u32| *weight;
        let mut builder = moka::sync::Cache::builder().max_capacity(capacity).weigher(weigher);
        if let Some(time_to_live) = lives.time_to_live {
            builder = builder.time_to_live(time_to_live);
        }
        if let Some(time_to_idle) = lives.time_to_idle {
            builder = builder.time_to_idle(time_to_idle);
        }
        Self { factor, cache: builder.build_with_hasher(Hashing::default()), hits: 0 }
    }

    /// A read of a key; with a weight if L1 would keep it.
    pub(super) fn read(&mut self, key: u32, weight: Option<u32>) {
        if self.cache.get(&key).is_some() {
            self.hits += 1;
        } else if let Some(weight) = weight {
            self.cache.insert(key, weight);
        }
    }

    pub(super) fn write(&self, key: u32, weight: u32) {
        self.cache.insert(key, weight);
    }

    pub(super) fn forget(&self, key: u32) {
        self.cache.invalidate(&key);
    }

    pub(super) fn clear(&self) {
        self.cache.invalidate_all();
    }
}
