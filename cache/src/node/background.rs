//! A node's background tasks.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::dyn_cache::DynCache;
use super::shared::{BUS_TASK, Shared};
use crate::bus::BusHandler;
use crate::connection::PendingInvalidation;
use crate::log::log_safely;
use crate::target::Target;

/// Each time `due` is notified, walks over the caches that have something to reclaim. Each walk is
/// a task of its own, so that no walk waits for another.
pub(crate) async fn in_turns(due: &Notify, caches: impl Fn() -> Vec<Arc<dyn DynCache>>) {
    let (mut walks, mut walked) = (JoinSet::new(), HashMap::new());
    loop {
        tokio::select! {
            () = due.notified() => {}
            Some(ended) = walks.join_next_with_id() => match ended {
                Ok((id, ())) => _ = walked.remove(&id),
                // The panic goes to the supervisor, which counts it and starts all walks again.
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(error) => _ = walked.remove(&error.id()),
                },
            },
        }
        for cache in caches() {
            let name = cache.name().to_owned();
            if cache.has_to_reclaim() && !walked.values().any(|other| *other == name) {
                walked.insert(walks.spawn(cache.reclaim()).id(), name);
            }
        }
    }
}

/// How often L1's upkeep runs while there are no reads.
const UPKEEP: Duration = Duration::from_millis(250);

impl Shared {
    async fn upkeep(&self) {
        let mut ticks = tokio::time::interval(UPKEEP);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while self.shutdown.run_until_cancelled(ticks.tick()).await.is_some() {
            self.upkeep_now().await;
        }
    }

    pub(crate) async fn upkeep_now(&self) {
        for cache in self.caches() {
            if cache.has_to_reclaim() {
                self.reclaim_soon();
            }
            cache.upkeep().await;
        }
    }

    /// Asks for a walk: L1 of some cache holds entries that no longer count.
    pub(crate) fn reclaim_soon(&self) {
        self.to_reclaim.notify_one();
    }
}

impl Shared {
    pub(crate) async fn spawn_tasks(self: &Arc<Self>) {
        let shared = Arc::clone(self);
        self.tasks.spawn("upkeep", move || {
            let shared = Arc::clone(&shared);
            async move { shared.upkeep().await }
        });
        let shared = Arc::clone(self);
        self.tasks.spawn("reclaim", move || {
            let shared = Arc::clone(&shared);
            async move { in_turns(&shared.to_reclaim, || shared.caches()).await }
        });
        let Some(link) = &self.link else { return };
        let shared = Arc::clone(self);
        let replay = move |connection, together: Vec<PendingInvalidation>| {
            let shared = Arc::clone(&shared);
            async move {
                let Some(oldest) = together.first() else { return Ok(()) };
                let caches = shared.caches();
                let cache = caches.iter().find(|cache| cache.name() == oldest.cache);
                // The cache knows its own schema, even if Redis has forgotten it.
                let own = cache.and_then(|cache| cache.keyspace());
                let own = own.filter(|_| oldest.own_schema.is_none());
                let schema = oldest.own_schema.unwrap_or(0);
                let sequence = match (own, shared.keyspace(&oldest.cache, schema)) {
                    (Some(keyspace), _) => keyspace.replay(connection, &together).await?,
                    (None, Some(keyspace)) => keyspace.replay(connection, &together).await?,
                    (None, None) => return Ok(()),
                };
                if let (Target::Tag(tag), Some(sequence)) = (&oldest.target, sequence) {
                    // This must happen before L2 is trusted, since a node does not hear its own
                    // messages.
                    for cache in shared.caches().iter().filter(|other| other.name() == oldest.cache)
                    {
                        cache.tag_told(tag, sequence);
                    }
                }
                Ok(())
            }
        };
        let position = match link.probe(&replay).await {
            Ok(()) => self.bus_reader.end(link).await,
            Err(error) => {
                log_safely(|| tracing::warn!(%error, "Redis is away: starting without L2"));
                None
            }
        };
        let recovering = Arc::clone(link);
        self.tasks.spawn("recovery", move || {
            let (link, replay) = (Arc::clone(&recovering), replay.clone());
            async move { link.recover(replay).await }
        });
        let (shared, watched) = (Arc::clone(self), Arc::clone(link));
        self.tasks.spawn("eviction policy", move || {
            let (shared, link) = (Arc::clone(&shared), Arc::clone(&watched));
            async move { shared.eviction.watch(&link, &shared.id, || shared.unloadable()).await }
        });
        let (shared, link, mut position) = (Arc::clone(self), Arc::clone(link), position);
        self.tasks.spawn(BUS_TASK, move || {
            // After a panic the position is unknown, so the restarted listener assumes a gap.
            let (shared, link, position) =
                (Arc::clone(&shared), Arc::clone(&link), position.take());
            async move {
                let handler = Arc::clone(&shared) as Arc<dyn BusHandler>;
                shared.bus_reader.listen(link, position, handler).await;
            }
        });
        #[cfg(feature = "fleet")]
        self.spawn_fleet_tasks();
    }
}
