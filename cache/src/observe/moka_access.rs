//! A moka cache as its node sees it, with and without a text for its keys.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use strata_report::{CacheReport, EntryLook, Origin, Scope};

use super::counts::ObservedCounts;
use super::moka_cache::MokaCache;
use super::registered::{MokaAccess, Visit};
use crate::clock::millis;
use crate::error::CacheError;
use crate::key::Key;
use crate::l1::{Slices, slices};
use crate::pattern::Pattern;
use crate::recorder::hash_of;
use crate::user_code::BoxFuture;

/// A cache whose keys have no text.
pub(super) struct WithoutKeyText<C> {
    moka: C,
    counts: Arc<ObservedCounts>,
    upkeep_runs: AtomicBool,
}

impl<C: MokaCache> WithoutKeyText<C> {
    pub(super) fn new(moka: C, counts: Arc<ObservedCounts>) -> Self {
        Self { moka, counts, upkeep_runs: AtomicBool::new(false) }
    }

    /// moka continues until all its tasks are done, and its listener is the service's own code. So
    /// this runs on a blocking thread, and does not wait for the end.
    fn run_upkeep(self: Arc<Self>) {
        if !self.upkeep_runs.swap(true, Ordering::AcqRel) {
            let running = UpkeepRuns(self);
            tokio::task::spawn_blocking(move || {
                let WithoutKeyText { moka, counts, .. } = &*running.0;
                counts.recorder.contain(|| moka.run_upkeep());
            });
        }
    }
}

struct UpkeepRuns<C>(Arc<WithoutKeyText<C>>);

impl<C> Drop for UpkeepRuns<C> {
    fn drop(&mut self) {
        self.0.upkeep_runs.store(false, Ordering::Release);
    }
}

impl<C: MokaCache> MokaAccess for WithoutKeyText<C> {
    fn report(&self, name: &str) -> CacheReport {
        let mut report = self.counts.report(name, &self.moka);
        (report.hot_keys, report.missed_keys) = (None, None);
        report
    }

    fn upkeep(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            Arc::clone(&self).run_upkeep();
            self.counts.upkeep(&self.moka).await;
        })
    }

    fn look(&self, name: &str, _: &str) -> Result<Option<EntryLook>, CacheError> {
        Err(CacheError::NoKeyText(name.to_owned()))
    }

    fn each<'a>(&'a self, _: &'a Pattern, _: Visit<'a>) -> BoxFuture<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    fn invalidate(
        self: Arc<Self>,
        name: &str,
        _: &str,
        _: Origin,
    ) -> Result<BoxFuture<'static, ()>, CacheError> {
        Err(CacheError::NoKeyText(name.to_owned()))
    }

    fn invalidate_matching(self: Arc<Self>, _: Pattern, _: Origin) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    fn has_key_text(&self) -> bool {
        false
    }

    fn clear(&self, origin: Origin) {
        self.moka.drop_all();
        self.counts.recorder.forget_all();
        self.counts.recorder.invalidation(Scope::All, origin);
    }
}

/// A cache whose keys have a text.
pub(super) struct WithKeyText<C>(Arc<WithoutKeyText<C>>);

impl<C: MokaCache<Key: Key>> WithKeyText<C> {
    pub(super) fn new(moka: C, counts: Arc<ObservedCounts>) -> Self {
        Self(Arc::new(WithoutKeyText::new(moka, counts)))
    }

    fn key(name: &str, text: &str) -> Result<C::Key, CacheError> {
        let bad = || CacheError::BadKey { cache: name.to_owned(), key: text.to_owned() };
        text.parse().map_err(|_| bad())
    }

    async fn drop_key(&self, key: &C::Key) {
        self.0.moka.drop_key(key).await;
        self.0.counts.recorder.forget(hash_of(key));
    }
}

impl<C: MokaCache<Key: Key>> MokaAccess for WithKeyText<C> {
    fn report(&self, name: &str) -> CacheReport {
        self.0.counts.report(name, &self.0.moka)
    }

    fn upkeep(self: Arc<Self>) -> BoxFuture<'static, ()> {
        Arc::clone(&self.0).upkeep()
    }

    /// Values may have no JSON form, and moka does not report their deadlines, so neither is shown.
    fn look(&self, name: &str, key: &str) -> Result<Option<EntryLook>, CacheError> {
        let key = Self::key(name, key)?;
        let age = self.0.counts.insert_times.age(hash_of(&key)).unwrap_or_default();
        Ok(self.0.moka.has(&key).then(|| EntryLook {
            value_hidden: false,
            value: Some("\"not shown: this cache is observed only\"".to_owned()),
            served_stale: false,
            fresh: true,
            age_ms: millis(age),
            expires_in_ms: None,
            version: None,
            tags: Vec::new(),
            bytes: None,
        }))
    }

    fn each<'a>(&'a self, pattern: &'a Pattern, visit: Visit<'a>) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            let walked = slices::walk(self.0.moka.keys(), |key| {
                let text = key.to_string();
                if pattern.matches(&text) {
                    visit(text);
                }
                ControlFlow::Continue(())
            })
            .await;
            self.0.counts.recorder.panics.add(walked.n_panics);
        })
    }

    fn invalidate(
        self: Arc<Self>,
        name: &str,
        key: &str,
        origin: Origin,
    ) -> Result<BoxFuture<'static, ()>, CacheError> {
        let key = Self::key(name, key)?;
        Ok(Box::pin(async move {
            self.drop_key(&key).await;
            self.0.counts.recorder.invalidation(Scope::Key, origin);
        }))
    }

    fn has_key_text(&self) -> bool {
        true
    }

    fn clear(&self, origin: Origin) {
        self.0.clear(origin);
    }

    fn invalidate_matching(
        self: Arc<Self>,
        pattern: Pattern,
        origin: Origin,
    ) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let mut slices = Slices::new();
            for key in self.0.moka.keys() {
                // A key that cannot be printed may match.
                let is_matched = || pattern.matches(&key.to_string());
                if self.0.counts.recorder.contain(is_matched).unwrap_or(true) {
                    self.drop_key(&key).await;
                }
                slices.stepped().await;
            }
            self.0.counts.recorder.invalidation(Scope::Pattern, origin);
        })
    }
}
