//! A cache of the namespace as a node sees it that only looks on: its name, and what Redis has of it.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use strata_report::{CacheReport, Effect, EntryLook, KeyRow, L2Look};

use super::dyn_cache::DynCache;
use crate::bus::Message;
use crate::connection::Away;
use crate::error::CacheError;
use crate::l1::L1List;
use crate::l2::{Keyspace, L2Head, Progress};
use crate::pattern::Pattern;
use crate::target::Target;
use crate::user_code::BoxFuture;

/// A cache known by its name alone. Every text may be a key of it. It has no L1; what is removed is
/// removed under every schema.
pub(crate) struct CacheByName {
    name: String,
    keyspace: Keyspace,
}

impl CacheByName {
    pub(crate) fn new(name: &str, keyspace: Keyspace) -> Self {
        Self { name: name.to_owned(), keyspace }
    }
}

/// Runs an invalidation to its end, even where nobody waits for it any more.
fn to_its_end(
    invalidation: impl Future<Output = Effect> + Send + 'static,
) -> BoxFuture<'static, Effect> {
    Box::pin(async { tokio::spawn(invalidation).await.unwrap_or(Effect::Queued) })
}

fn effect(removed: Result<u64, Away>) -> Effect {
    removed.map_or(Effect::Queued, |entries| Effect::Removed { entries })
}

fn ready<T: Send + 'static>(value: T) -> BoxFuture<'static, T> {
    Box::pin(std::future::ready(value))
}

impl DynCache for CacheByName {
    fn name(&self) -> &str {
        &self.name
    }

    fn report(&self) -> CacheReport {
        CacheReport { cache: self.name.clone(), ..CacheReport::default() }
    }

    fn upkeep(self: Arc<Self>) -> BoxFuture<'static, ()> {
        ready(())
    }

    fn on_message(&self, _: &Message) {}

    fn tag_told(&self, _: &str, _: u64) {}

    fn raise_epoch(&self) {}

    fn keyspace(&self) -> Option<&Keyspace> {
        Some(&self.keyspace)
    }

    fn shown(&self, _: String) -> Option<String> {
        None
    }

    fn look_l1<'a>(&'a self, _: &str) -> Result<BoxFuture<'a, Option<EntryLook>>, CacheError> {
        Ok(ready(None))
    }

    /// Without its value, which only nodes of the service can read.
    fn look_l2(
        self: Arc<Self>,
        key: &str,
    ) -> Result<BoxFuture<'static, Option<L2Look>>, CacheError> {
        let key = [key.to_owned()];
        Ok(Box::pin(async move {
            let heads = self.keyspace.heads(&key).await.ok()?;
            Some(match heads.into_iter().next().flatten() {
                None => L2Look::Absent,
                Some(L2Head::SomethingElse) => L2Look::Unreadable,
                Some(L2Head::Entry { age_ms, expires_in_ms, bytes }) => L2Look::Entry(EntryLook {
                    value: None,
                    value_hidden: true,
                    fresh: expires_in_ms > 0,
                    served_stale: false,
                    age_ms,
                    expires_in_ms: Some(expires_in_ms),
                    version: None,
                    tags: Vec::new(),
                    bytes: Some(bytes),
                }),
            })
        }))
    }

    fn match_l1<'a>(&'a self, _: &'a Pattern, _: usize) -> BoxFuture<'a, (u64, Vec<String>)> {
        ready((0, Vec::new()))
    }

    fn list_l1<'a>(&'a self, _: &'a L1List<'_>) -> BoxFuture<'a, (u64, Vec<KeyRow>)> {
        ready((0, Vec::new()))
    }

    fn among_l1<'a>(&'a self, _: &'a HashSet<&str>) -> BoxFuture<'a, Vec<KeyRow>> {
        ready(Vec::new())
    }

    fn mark_stale_text(
        self: Arc<Self>,
        key: &str,
    ) -> Result<BoxFuture<'static, Effect>, CacheError> {
        let key = key.to_owned();
        Ok(to_its_end(async move { effect(self.keyspace.mark_stale(&key).await) }))
    }

    fn invalidate(
        self: Arc<Self>,
        target: Target,
        progress: Arc<Progress>,
    ) -> Result<BoxFuture<'static, Effect>, CacheError> {
        Ok(to_its_end(async move {
            let l2 = &self.keyspace;
            match target {
                Target::Key(key) => effect(l2.remove(&[key]).await),
                Target::Pattern(pattern) => {
                    effect(l2.remove_matching(Some(&pattern), &progress).await)
                }
                Target::Tag(tag) => {
                    l2.invalidate_tag(&tag).await.map_or(Effect::Queued, |_| Effect::Marked)
                }
                Target::All => effect(l2.remove_matching(None, &progress).await),
            }
        }))
    }
}
