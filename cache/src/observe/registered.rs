use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use strata_report::{CacheReport, Effect, EntryLook, KeyRow, L2Look};

use crate::bus::Message;
use crate::error::CacheError;
use crate::l1::{FirstRows, L1List};
use crate::l2::{Keyspace, Progress};
use crate::node::DynCache;
use crate::pattern::Pattern;
use crate::user_code::BoxFuture;

/// An observed cache as its node sees it. It has no L2 and no bus, since no invalidations keep it
/// coherent.
pub(super) struct RegisteredCache {
    name: String,
    moka: OnceLock<Arc<dyn MokaAccess>>,
}

/// A node's requests to the moka cache.
pub(super) trait MokaAccess: Send + Sync {
    fn report(&self, name: &str) -> CacheReport;
    fn upkeep(self: Arc<Self>) -> BoxFuture<'static, ()>;
    fn look(&self, name: &str, key: &str) -> Result<Option<EntryLook>, CacheError>;
    /// Visits the keys that match, in slices.
    fn each<'a>(&'a self, pattern: &'a Pattern, visit: Visit<'a>) -> BoxFuture<'a, ()>;
    fn invalidate(
        self: Arc<Self>,
        name: &str,
        key: &str,
    ) -> Result<BoxFuture<'static, ()>, CacheError>;
    fn invalidate_matching(self: Arc<Self>, pattern: Pattern) -> BoxFuture<'static, ()>;
}

pub(super) type Visit<'a> = &'a mut (dyn FnMut(String) + Send);

impl RegisteredCache {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), moka: OnceLock::new() }
    }

    /// Sets the observed cache. The first call counts.
    pub(super) fn observe(&self, moka: Arc<dyn MokaAccess>) {
        self.moka.get_or_init(|| moka);
    }

    async fn each(&self, pattern: &Pattern, mut visit: impl FnMut(String) + Send) {
        if let Some(moka) = self.moka.get() {
            moka.each(pattern, &mut visit).await;
        }
    }
}

impl DynCache for RegisteredCache {
    fn name(&self) -> &str {
        &self.name
    }

    fn report(&self) -> CacheReport {
        match self.moka.get() {
            Some(moka) => moka.report(&self.name),
            None => CacheReport { cache: self.name.clone(), ..CacheReport::default() },
        }
    }

    fn upkeep(self: Arc<Self>) -> BoxFuture<'static, ()> {
        match self.moka.get() {
            Some(moka) => Arc::clone(moka).upkeep(),
            None => Box::pin(std::future::ready(())),
        }
    }

    fn on_message(&self, _: &Message) {}

    fn raise_epoch(&self) {}

    fn tag_told(&self, _: &str, _: u64) {}

    fn keyspace(&self) -> Option<&Keyspace> {
        None
    }

    fn look_l1<'a>(&'a self, key: &str) -> Result<BoxFuture<'a, Option<EntryLook>>, CacheError> {
        let looked = self.moka.get().map_or(Ok(None), |moka| moka.look(&self.name, key))?;
        Ok(Box::pin(std::future::ready(looked)))
    }

    fn look_l2(self: Arc<Self>, _: &str) -> Result<BoxFuture<'static, Option<L2Look>>, CacheError> {
        Ok(Box::pin(async { None }))
    }

    fn match_l1<'a>(
        &'a self,
        pattern: &'a Pattern,
        limit: usize,
    ) -> BoxFuture<'a, (u64, Vec<String>)> {
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

    fn list_l1<'a>(&'a self, list: &'a L1List<'_>) -> BoxFuture<'a, (u64, Vec<KeyRow>)> {
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

    fn among_l1<'a>(&'a self, keys: &'a HashSet<&str>) -> BoxFuture<'a, Vec<KeyRow>> {
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

    fn invalidate_text(
        self: Arc<Self>,
        key: &str,
    ) -> Result<BoxFuture<'static, Effect>, CacheError> {
        let Some(moka) = self.moka.get() else {
            return Ok(Box::pin(async { Effect::Off }));
        };
        let removing = Arc::clone(moka).invalidate(&self.name, key)?;
        Ok(Box::pin(async {
            removing.await;
            Effect::Off
        }))
    }

    fn invalidate_matching(
        self: Arc<Self>,
        pattern: Pattern,
        _: Arc<Progress>,
    ) -> BoxFuture<'static, Effect> {
        Box::pin(async move {
            if let Some(moka) = self.moka.get() {
                Arc::clone(moka).invalidate_matching(pattern).await;
            }
            Effect::Off
        })
    }
}

impl std::fmt::Debug for RegisteredCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisteredCache").field("name", &self.name).finish_non_exhaustive()
    }
}
