use std::borrow::Borrow;
use std::error::Error;
use std::future::{Future, poll_fn};
use std::hash::{BuildHasher, Hash};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use moka::future::Cache;
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
    pub async fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let reading = self.reading(hash_of(key), |text| text(&key.to_owned()));
        let value = self.moka.get(key).await;
        reading.ended(if value.is_some() { Outcome::L1Hit } else { Outcome::Missed });
        value
    }

    /// The value of a key. If there is none, `init` makes it, once for all concurrent callers.
    pub async fn get_with(&self, key: K, init: impl Future<Output = V>) -> V {
        let reading = self.reading(hash_of(&key), |text| text(&key));
        let led = AtomicBool::new(false);
        let init = async {
            led.store(true, Relaxed);
            let loading = LoadGuard::begin(&self.counts);
            let value = init.await;
            loading.ended(LoadEnded::Answered);
            value
        };
        let (value, waited) = noting_waits(self.moka.get_with(key, init)).await;
        answered(reading, &led, waited);
        value
    }

    /// The value of a key. If there is none, `init` makes it, once for all concurrent callers with
    /// the same type of error.
    ///
    /// # Errors
    /// That of `init`, shared by all waiting callers. Errors are not kept.
    pub async fn try_get_with<F, E>(&self, key: K, init: F) -> Result<V, Arc<E>>
    where
        F: Future<Output = Result<V, E>>,
        E: Error + Send + Sync + 'static,
    {
        let reading = self.reading(hash_of(&key), |text| text(&key));
        let led = AtomicBool::new(false);
        let init = async {
            led.store(true, Relaxed);
            let loading = LoadGuard::begin(&self.counts);
            let value = init.await;
            let answered = value.is_ok();
            loading.ended(if answered { LoadEnded::Answered } else { LoadEnded::Failed });
            value
        };
        let (value, waited) = noting_waits(self.moka.try_get_with(key, init)).await;
        let value = value?;
        answered(reading, &led, waited);
        Ok(value)
    }

    /// Puts a value in.
    pub async fn insert(&self, key: K, value: V) {
        let hash = hash_of(&key);
        self.moka.insert(key, value).await;
        self.inserted(hash);
    }

    /// Removes a key and returns its value.
    pub async fn remove<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let value = self.moka.remove(key).await;
        self.invalidated(key);
        value
    }

    /// Removes a key.
    pub async fn invalidate<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.moka.invalidate(key).await;
        self.invalidated(key);
    }

    /// Removes everything.
    pub fn invalidate_all(&self) {
        self.moka.invalidate_all();
        self.emptied();
    }
}

/// Runs a read and returns whether it had to wait. moka answers a hit at once.
async fn noting_waits<T>(read: impl Future<Output = T>) -> (T, bool) {
    let mut read = pin!(read);
    let mut n_polls = 0_u32;
    let value = poll_fn(|context| {
        n_polls = n_polls.saturating_add(1);
        read.as_mut().poll(context)
    });
    (value.await, n_polls > 1)
}

fn answered(reading: ReadGuard<'_>, led: &AtomicBool, waited: bool) {
    if led.load(Relaxed) {
        reading.loaded();
    } else {
        reading.ended(if waited { Outcome::Coalesced } else { Outcome::L1Hit });
    }
}
