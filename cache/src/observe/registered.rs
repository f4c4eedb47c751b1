use std::collections::HashSet;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};

use strata_report::{CacheReport, Effect, EntryLook, KeyRow, L2Look, Origin};

use crate::bus::Message;
use crate::connection::Away;
use crate::error::CacheError;
use crate::l1::{FirstRows, L1List};
use crate::l2::{Keyspace, Progress};
use crate::node::DynCache;
use crate::pattern::Pattern;
use crate::target::Target;
use crate::user_code::{BoxFuture, contained};

/// An observed cache as its node sees it. It has no L2, and no bus unless it listens.
pub(super) struct RegisteredCache {
    name: String,
    moka: OnceLock<Arc<dyn MokaAccess>>,
    /// Where it tells the other nodes. Set where it listens.
    bus: OnceLock<Keyspace>,
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
        origin: Origin,
    ) -> Result<BoxFuture<'static, ()>, CacheError>;
    fn invalidate_matching(
        self: Arc<Self>,
        pattern: Pattern,
        origin: Origin,
    ) -> BoxFuture<'static, ()>;
    fn clear(&self, origin: Origin);
    /// Whether its keys can be told apart by their texts.
    fn has_key_text(&self) -> bool;
}

pub(super) type Visit<'a> = &'a mut (dyn FnMut(String) + Send);

impl RegisteredCache {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), moka: OnceLock::new(), bus: OnceLock::new() }
    }

    /// Acts on what others invalidate from now on, and tells them.
    pub(super) fn listen(&self, bus: Option<Keyspace>) {
        if let Some(bus) = bus {
            self.bus.get_or_init(|| bus);
        }
    }

    /// Where what others invalidate is dropped.
    fn listening(&self) -> Option<&Arc<dyn MokaAccess>> {
        self.bus.get()?;
        self.moka.get()
    }

    fn act_on(&self, moka: &Arc<dyn MokaAccess>, message: &Message) {
        match &message.target {
            Target::Key(key) => {
                match Arc::clone(moka).invalidate(&self.name, key, Origin::Bus) {
                    Ok(dropping) => at_once(dropping),
                    // It may be any key.
                    Err(_) => moka.clear(Origin::Bus),
                }
            }
            Target::Pattern(pattern) if moka.has_key_text() => {
                at_once(Arc::clone(moka).invalidate_matching(pattern.clone(), Origin::Bus));
            }
            Target::Pattern(_) | Target::Tag(_) | Target::All => moka.clear(Origin::Bus),
        }
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

    fn on_message(&self, message: &Message) {
        if let Some(moka) = self.listening()
            && contained(|| self.act_on(moka, message)).is_none()
        {
            // Code of the keys panicked: whatever it was about is gone.
            moka.clear(Origin::Bus);
        }
    }

    fn raise_epoch(&self) {
        if let Some(moka) = self.listening() {
            moka.clear(Origin::Bus);
        }
    }

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

    fn invalidate(
        self: Arc<Self>,
        target: Target,
        progress: Arc<Progress>,
    ) -> Result<BoxFuture<'static, Effect>, CacheError> {
        let dropping = self.drop_here(&target)?;
        Ok(Box::pin(async move {
            dropping.await;
            self.told(async |bus| match &target {
                Target::Key(key) => bus.remove(std::slice::from_ref(key)).await,
                Target::Pattern(pattern) => bus.remove_matching(Some(pattern), &progress).await,
                Target::Tag(_) | Target::All => bus.remove_matching(None, &progress).await,
            })
            .await
        }))
    }
}

impl RegisteredCache {
    /// Drops it from the observed cache, which knows no tags.
    fn drop_here(&self, target: &Target) -> Result<BoxFuture<'static, ()>, CacheError> {
        let moka = self.moka.get().map(Arc::clone);
        Ok(match (target, moka) {
            (Target::Tag(_), _) => return Err(CacheError::OnlyObserved(self.name.clone())),
            (_, None) => Box::pin(std::future::ready(())),
            (Target::Key(key), Some(moka)) => moka.invalidate(&self.name, key, Origin::Local)?,
            (Target::Pattern(pattern), Some(moka)) => {
                moka.invalidate_matching(pattern.clone(), Origin::Local)
            }
            (Target::All, Some(moka)) => Box::pin(async move { moka.clear(Origin::Local) }),
        })
    }

    /// Tells the other nodes where it listens.
    async fn told(&self, tell: impl AsyncFnOnce(&Keyspace) -> Result<u64, Away>) -> Effect {
        match self.bus.get() {
            None => Effect::Off,
            Some(bus) => match tell(bus).await {
                Ok(entries) => Effect::Removed { entries },
                Err(Away) => Effect::Queued,
            },
        }
    }
}

/// Does as much as can be done without waiting now, so that messages take effect in their turn;
/// the rest goes on by itself.
fn at_once(mut dropping: BoxFuture<'static, ()>) {
    let mut context = Context::from_waker(Waker::noop());
    if dropping.as_mut().poll(&mut context).is_pending() {
        tokio::spawn(dropping);
    }
}

impl std::fmt::Debug for RegisteredCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RegisteredCache").field("name", &self.name).finish_non_exhaustive()
    }
}
