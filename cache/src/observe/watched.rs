use std::sync::{Arc, OnceLock};

use strata_report::{CacheReport, Effect, EntryLook, L2Look, Origin, Scope};

use super::moka_face::MokaFace;
use super::watch::Watch;
use crate::bus::Message;
use crate::clock::millis;
use crate::face::{CacheFace, Later};
use crate::l2::Keyspace;
use crate::node::Progress;
use crate::recorder::hash_of;
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
    fn upkeep(&self);
    fn look(&self, name: &str, key: &str) -> Result<Option<EntryLook>, CacheError>;
    fn matching(&self, pattern: &Pattern) -> Vec<String>;
    fn invalidate(self: Arc<Self>, name: &str, key: &str) -> Result<Later<()>, CacheError>;
    fn invalidate_matching(self: Arc<Self>, pattern: Pattern) -> Later<()>;
}

impl Watched {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), inside: OnceLock::new() }
    }

    /// Observed from now on; the first call counts.
    pub(super) fn watch(&self, inside: Arc<dyn Inside>) {
        self.inside.get_or_init(|| inside);
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

    fn upkeep(&self) {
        if let Some(inside) = self.inside.get() {
            inside.upkeep();
        }
    }

    fn hear(&self, _: &Message) {}

    fn raise_epoch(&self) {}

    fn tag_told(&self, _: &str, _: u64) {}

    fn keyspace(&self) -> Option<&Keyspace> {
        None
    }

    fn look_l1(&self, key: &str) -> Result<Option<EntryLook>, CacheError> {
        self.inside.get().map_or(Ok(None), |inside| inside.look(&self.name, key))
    }

    fn look_l2(self: Arc<Self>, _: &str) -> Result<Later<Option<L2Look>>, CacheError> {
        Ok(Box::pin(async { None }))
    }

    fn match_l1(&self, pattern: &Pattern, limit: usize) -> (u64, Vec<String>) {
        let mut texts =
            self.inside.get().map(|inside| inside.matching(pattern)).unwrap_or_default();
        let count = texts.len() as u64;
        texts.truncate(limit);
        (count, texts)
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
}

impl<C> Unkeyed<C> {
    pub(super) fn new(moka: C, watch: Arc<Watch>) -> Self {
        Self { moka, watch }
    }
}

impl<C: MokaFace> Unkeyed<C> {
    /// Code of the service's keys and values runs in it.
    fn run_upkeep(&self) {
        self.watch.recorder.contain(|| self.moka.run_upkeep());
    }
}

impl<C: MokaFace> Inside for Unkeyed<C> {
    fn report(&self, name: &str) -> CacheReport {
        self.run_upkeep();
        let mut report = self.watch.report(name, &self.moka);
        (report.hot_keys, report.missed_keys) = (None, None);
        report
    }

    fn upkeep(&self) {
        self.run_upkeep();
        self.watch.upkeep(&self.moka);
    }

    fn look(&self, name: &str, _: &str) -> Result<Option<EntryLook>, CacheError> {
        Err(CacheError::NoKeyText(name.to_owned()))
    }

    fn matching(&self, _: &Pattern) -> Vec<String> {
        Vec::new()
    }

    fn invalidate(self: Arc<Self>, name: &str, _: &str) -> Result<Later<()>, CacheError> {
        Err(CacheError::NoKeyText(name.to_owned()))
    }

    fn invalidate_matching(self: Arc<Self>, _: Pattern) -> Later<()> {
        Box::pin(async {})
    }
}

/// A cache whose keys have a text.
pub(super) struct Keyed<C>(Unkeyed<C>);

impl<C: MokaFace<Key: Key>> Keyed<C> {
    pub(super) fn new(moka: C, watch: Arc<Watch>) -> Self {
        Self(Unkeyed::new(moka, watch))
    }

    fn key(name: &str, text: &str) -> Result<C::Key, CacheError> {
        let bad = || CacheError::BadKey { cache: name.to_owned(), key: text.to_owned() };
        text.parse().map_err(|_| bad())
    }

    fn matching_keys(&self, pattern: &Pattern) -> impl Iterator<Item = (Arc<C::Key>, String)> {
        self.0.moka.keys().filter_map(|key| {
            let text = key.to_string();
            pattern.matches(&text).then_some((key, text))
        })
    }

    async fn drop_key(&self, key: &C::Key) {
        self.0.moka.drop_key(key).await;
        self.0.watch.recorder.forget(hash_of(key));
    }
}

impl<C: MokaFace<Key: Key>> Inside for Keyed<C> {
    fn report(&self, name: &str) -> CacheReport {
        self.0.run_upkeep();
        self.0.watch.report(name, &self.0.moka)
    }

    fn upkeep(&self) {
        self.0.upkeep();
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

    fn matching(&self, pattern: &Pattern) -> Vec<String> {
        self.matching_keys(pattern).map(|(_, text)| text).collect()
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
            let keys: Vec<_> = self.matching_keys(&pattern).map(|(key, _)| key).collect();
            for key in keys {
                self.drop_key(&key).await;
            }
            self.0.watch.recorder.invalidation(Scope::Pattern, Origin::Local);
        })
    }
}
