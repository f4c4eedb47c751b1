use std::collections::HashSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use strata_report::{CacheReport, Effect, EntryLook, KeyRow, L2Look, Origin, Scope};

use super::moka_face::MokaFace;
use super::watch::Watch;
use crate::bus::Message;
use crate::clock::millis;
use crate::face::{CacheFace, Later, Looking};
use crate::l2::Keyspace;
use crate::node::Progress;
use crate::recorder::hash_of;
use crate::slices::{self, Slices};
use crate::walk::{FirstRows, L1List};
use crate::{CacheError, Key, Pattern};

/// An observed cache as its node sees it: no L2, and deaf to the bus, since nothing keeps it
/// coherent.
pub(super) struct Watched {
    name: String,
    inside: OnceLock<Arc<dyn Inside>>,
}

/// What a node may ask of the moka cache.
pub(super) trait Inside: Send + Sync {
    fn report(&self, name: &str) -> CacheReport;
    fn upkeep(self: Arc<Self>) -> Later<()>;
    fn look(&self, name: &str, key: &str) -> Result<Option<EntryLook>, CacheError>;
    /// Visits the keys that match, in slices.
    fn each<'a>(&'a self, pattern: &'a Pattern, visit: Visit<'a>) -> Looking<'a, ()>;
    fn invalidate(self: Arc<Self>, name: &str, key: &str) -> Result<Later<()>, CacheError>;
    fn invalidate_matching(self: Arc<Self>, pattern: Pattern) -> Later<()>;
}

type Visit<'a> = &'a mut (dyn FnMut(String) + Send);

impl Watched {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), inside: OnceLock::new() }
    }

    /// Observed from now on; the first call counts.
    pub(super) fn watch(&self, inside: Arc<dyn Inside>) {
        self.inside.get_or_init(|| inside);
    }

    async fn each(&self, pattern: &Pattern, mut visit: impl FnMut(String) + Send) {
        if let Some(inside) = self.inside.get() {
            inside.each(pattern, &mut visit).await;
        }
    }
}

impl CacheFace for Watched {
    fn name(&self) -> &str {
        &self.name
    }

    fn report(&self) -> CacheReport {
        match self.inside.get() {
            Some(inside) => inside.report(&self.name),
            None => CacheReport { cache: self.name.clone(), ..CacheReport::default() },
        }
    }

    fn upkeep(self: Arc<Self>) -> Later<()> {
        match self.inside.get() {
            Some(inside) => Arc::clone(inside).upkeep(),
            None => Box::pin(std::future::ready(())),
        }
    }

    fn hear(&self, _: &Message) {}

    fn raise_epoch(&self) {}

    fn tag_told(&self, _: &str, _: u64) {}

    fn keyspace(&self) -> Option<&Keyspace> {
        None
    }

    fn look_l1<'a>(&'a self, key: &str) -> Result<Looking<'a, Option<EntryLook>>, CacheError> {
        let looked = self.inside.get().map_or(Ok(None), |inside| inside.look(&self.name, key))?;
        Ok(Box::pin(std::future::ready(looked)))
    }

    fn look_l2(self: Arc<Self>, _: &str) -> Result<Later<Option<L2Look>>, CacheError> {
        Ok(Box::pin(async { None }))
    }

    fn match_l1<'a>(
        &'a self,
        pattern: &'a Pattern,
        limit: usize,
    ) -> Looking<'a, (u64, Vec<String>)> {
        Box::pin(async move {
            let (mut n_keys, mut some) = (0, Vec::new());
            self.each(pattern, |key| {
                n_keys += 1;
                if some.len() < limit {
                    some.push(key);
                }
            })
            .await;
            (n_keys, some)
        })
    }

    fn list_l1<'a>(&'a self, list: &'a L1List<'_>) -> Looking<'a, (u64, Vec<KeyRow>)> {
        Box::pin(async move {
            let (mut n_keys, mut first) = (0, FirstRows::new(list));
            self.each(list.pattern, |key| {
                n_keys += 1;
                first.add(key, ());
            })
            .await;
            (n_keys, first.rows(|(key, ())| KeyRow { key, ..KeyRow::default() }))
        })
    }

    fn among_l1<'a>(&'a self, keys: &'a HashSet<&str>) -> Looking<'a, Vec<KeyRow>> {
        Box::pin(async move {
            let mut rows = Vec::new();
            self.each(&Pattern::prefix(""), |key| {
                if keys.contains(key.as_str()) {
                    rows.push(KeyRow { key, ..KeyRow::default() });
                }
            })
            .await;
            rows
        })
    }

    fn invalidate_text(self: Arc<Self>, key: &str) -> Result<Later<Effect>, CacheError> {
        let Some(inside) = self.inside.get() else {
            return Ok(Box::pin(async { Effect::Off }));
        };
        let removing = Arc::clone(inside).invalidate(&self.name, key)?;
        Ok(Box::pin(async {
            removing.await;
            Effect::Off
        }))
    }

    fn invalidate_matching(self: Arc<Self>, pattern: Pattern, _: Arc<Progress>) -> Later<Effect> {
        Box::pin(async move {
            if let Some(inside) = self.inside.get() {
                Arc::clone(inside).invalidate_matching(pattern).await;
            }
            Effect::Off
        })
    }
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A cache whose keys have no text.
pub(super) struct Unkeyed<C> {
    moka: C,
    watch: Arc<Watch>,
    upkeep_runs: AtomicBool,
}

impl<C: MokaFace> Unkeyed<C> {
    pub(super) fn new(moka: C, watch: Arc<Watch>) -> Self {
        Self { moka, watch, upkeep_runs: AtomicBool::new(false) }
    }

    /// moka goes on until nothing is left to do, and its listener is the service's own: so on a
    /// thread for what blocks, and nobody here waits for it.
    fn run_upkeep(self: Arc<Self>) {
        if !self.upkeep_runs.swap(true, Ordering::AcqRel) {
            let running = UpkeepRuns(self);
            tokio::task::spawn_blocking(move || running.0.moka.run_upkeep());
        }
    }
}

struct UpkeepRuns<C>(Arc<Unkeyed<C>>);

impl<C> Drop for UpkeepRuns<C> {
    fn drop(&mut self) {
        self.0.upkeep_runs.store(false, Ordering::Release);
    }
}

impl<C: MokaFace> Inside for Unkeyed<C> {
    fn report(&self, name: &str) -> CacheReport {
        let mut report = self.watch.report(name, &self.moka);
        (report.hot_keys, report.missed_keys) = (None, None);
        report
    }

    fn upkeep(self: Arc<Self>) -> Later<()> {
        Box::pin(async move {
            Arc::clone(&self).run_upkeep();
            self.watch.upkeep(&self.moka).await;
        })
    }

    fn look(&self, name: &str, _: &str) -> Result<Option<EntryLook>, CacheError> {
        Err(CacheError::NoKeyText(name.to_owned()))
    }

    fn each<'a>(&'a self, _: &'a Pattern, _: Visit<'a>) -> Looking<'a, ()> {
        Box::pin(std::future::ready(()))
    }

    fn invalidate(self: Arc<Self>, name: &str, _: &str) -> Result<Later<()>, CacheError> {
        Err(CacheError::NoKeyText(name.to_owned()))
    }

    fn invalidate_matching(self: Arc<Self>, _: Pattern) -> Later<()> {
        Box::pin(async {})
    }
}

/// A cache whose keys have a text.
pub(super) struct Keyed<C>(Arc<Unkeyed<C>>);

impl<C: MokaFace<Key: Key>> Keyed<C> {
    pub(super) fn new(moka: C, watch: Arc<Watch>) -> Self {
        Self(Arc::new(Unkeyed::new(moka, watch)))
    }

    fn key(name: &str, text: &str) -> Result<C::Key, CacheError> {
        let bad = || CacheError::BadKey { cache: name.to_owned(), key: text.to_owned() };
        text.parse().map_err(|_| bad())
    }

    async fn drop_key(&self, key: &C::Key) {
        self.0.moka.drop_key(key).await;
        self.0.watch.recorder.forget(hash_of(key));
    }
}

impl<C: MokaFace<Key: Key>> Inside for Keyed<C> {
    fn report(&self, name: &str) -> CacheReport {
        self.0.watch.report(name, &self.0.moka)
    }

    fn upkeep(self: Arc<Self>) -> Later<()> {
        Arc::clone(&self.0).upkeep()
    }

    /// Values need not be printable, so none is shown; nor is the time that moka gives them.
    fn look(&self, name: &str, key: &str) -> Result<Option<EntryLook>, CacheError> {
        let key = Self::key(name, key)?;
        let age = self.0.watch.births.age(hash_of(&key)).unwrap_or_default();
        Ok(self.0.moka.has(&key).then(|| EntryLook {
            value: Some("\"not shown: this cache is observed only\"".to_owned()),
            fresh: true,
            age_ms: millis(age),
            expires_in_ms: None,
            version: None,
            tags: Vec::new(),
            bytes: None,
        }))
    }

    fn each<'a>(&'a self, pattern: &'a Pattern, visit: Visit<'a>) -> Looking<'a, ()> {
        Box::pin(async move {
            slices::walk(self.0.moka.keys(), |key| {
                let text = key.to_string();
                if pattern.matches(&text) {
                    visit(text);
                }
                ControlFlow::Continue(())
            })
            .await;
        })
    }

    fn invalidate(self: Arc<Self>, name: &str, key: &str) -> Result<Later<()>, CacheError> {
        let key = Self::key(name, key)?;
        Ok(Box::pin(async move {
            self.drop_key(&key).await;
            self.0.watch.recorder.invalidation(Scope::Key, Origin::Local);
        }))
    }

    fn invalidate_matching(self: Arc<Self>, pattern: Pattern) -> Later<()> {
        Box::pin(async move {
            let mut slices = Slices::new();
            for key in self.0.moka.keys() {
                if matches(&pattern, &*key) {
                    self.drop_key(&key).await;
                }
                slices.stepped().await;
            }
            self.0.watch.recorder.invalidation(Scope::Pattern, Origin::Local);
        })
    }
}

fn matches(pattern: &Pattern, key: &impl Key) -> bool {
    // A key that cannot be printed may be any.
    catch_unwind(AssertUnwindSafe(|| pattern.matches(&key.to_string()))).unwrap_or(true)
}
