use super::moka_cache::MokaCache;
use std::borrow::Borrow;
use std::error::Error;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use moka::sync::Cache;
use strata_report::Outcome;

use super::guards::{LoadGuard, ReadGuard};
use super::observed::Observed;
use crate::recorder::{LoadEnded, hash_of};

impl<K, V, S> Observed<Cache<K, V, S>>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
    S: BuildHasher + Clone + Send + Sync + 'static,
{
    /// The value of a key, if there is one.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let reading = self.reading(hash_of(key), |text| text(&key.to_owned()));
        let value = self.moka.get(key);
        reading.ended(if value.is_some() { Outcome::L1Hit } else { Outcome::Missed });
        value
    }

    /// The value of a key. If there is none, `init` makes it, once for all concurrent callers.
    pub fn get_with(&self, key: K, init: impl FnOnce() -> V) -> V {
        let (reading, was_there) = self.asked(&key);
        let led = AtomicBool::new(false);
        let value = self.moka.get_with(key, || {
            led.store(true, Relaxed);
            let loading = LoadGuard::begin(&self.counts);
            let value = init();
            loading.ended(LoadEnded::Answered);
            value
        });
        answered(reading, &led, was_there);
        value
    }

    /// The value of a key. If there is none, `init` makes it, once for all concurrent callers with
    /// the same type of error.
    ///
    /// # Errors
    /// That of `init`, shared by all waiting callers. Errors are not kept.
    pub fn try_get_with<F, E>(&self, key: K, init: F) -> Result<V, Arc<E>>
    where
        F: FnOnce() -> Result<V, E>,
        E: Error + Send + Sync + 'static,
    {
        let (reading, was_there) = self.asked(&key);
        let led = AtomicBool::new(false);
        let value = self.moka.try_get_with(key, || {
            led.store(true, Relaxed);
            let loading = LoadGuard::begin(&self.counts);
            let value = init();
            let answered = value.is_ok();
            loading.ended(if answered { LoadEnded::Answered } else { LoadEnded::Failed });
            value
        })?;
        answered(reading, &led, was_there);
        Ok(value)
    }

    /// Puts a value in.
    pub fn insert(&self, key: K, value: V) {
        let hash = hash_of(&key);
        self.moka.insert(key, value);
        self.inserted(hash);
    }

    /// Removes a key and returns its value.
    pub fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let value = self.moka.remove(key);
        self.invalidated(key);
        value
    }

    /// Removes a key.
    pub fn invalidate<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.moka.invalidate(key);
        self.invalidated(key);
    }

    /// Removes everything.
    pub fn invalidate_all(&self) {
        self.moka.invalidate_all();
        self.emptied();
    }

    /// Uses moka's check for presence, since a second `get` would count twice for the key's
    /// popularity.
    fn asked(&self, key: &K) -> (ReadGuard<'_>, bool) {
        (self.reading(hash_of(key), |text| text(key)), self.moka.has(key))
    }
}

fn answered(reading: ReadGuard<'_>, led: &AtomicBool, was_there: bool) {
    if led.load(Relaxed) {
        reading.loaded();
    } else {
        reading.ended(if was_there { Outcome::L1Hit } else { Outcome::Coalesced });
    }
}
