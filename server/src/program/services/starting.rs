//! Services are taken up as they are named or announce themselves, several at a time, and end when
//! they are forgotten. Nothing waits for a Redis that does not answer but what is about that Redis.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use strata_console::ConsoleSettings;
use tokio::time::{Instant, sleep};
use tracing::info;

use super::list::Services;
use super::service::{Room, Service};
use super::service_id::ServiceId;
use super::watched_redis::WatchedRedis;
use crate::config::Secret;

/// How often Redis is asked which services there are, and what could not begin is tried again.
const LOOKED_AGAIN: Duration = Duration::from_secs(2);

/// A service is forgotten where no node announced it for so long and none is known.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// So many services are shown.
pub(super) const MAX_SERVICES: usize = 200;

/// So many begin at a time.
const BEGIN_AT_ONCE: usize = 16;

impl Services {
    /// Takes up the services of a Redis, for ever where they announce themselves.
    pub(super) async fn watch_redis(self: Arc<Self>, i: usize) {
        let Some(redis) = self.redis.get(i) else { return };
        if !self.settings.wanted.is_empty() {
            self.take_up_named(redis).await;
            // A task that ends would be started again.
            return std::future::pending().await;
        }
        loop {
            if let Some(announced) = redis.announced().await {
                self.take_up(redis, announced).await;
                self.forget(redis).await;
            }
            sleep(LOOKED_AGAIN).await;
        }
    }

    async fn take_up_named(&self, redis: &WatchedRedis) {
        loop {
            let left = self
                .begin(redis, redis.named.iter().map(|name| (name.clone(), None)).collect())
                .await;
            if left == 0 {
                return redis.took_up_all_but(0);
            }
            sleep(LOOKED_AGAIN).await;
        }
    }

    /// Takes up what is new, as far as there is room.
    async fn take_up(&self, redis: &WatchedRedis, announced: Vec<String>) {
        let (mut new, mut left_out) = (Vec::new(), 0);
        for namespace in announced {
            let id = ServiceId::new(redis.redis.name.as_deref(), &namespace);
            match self.get(&id.to_string()) {
                Some(service) => service.note(),
                // All Redis share the room.
                None => match Arc::clone(&self.room).try_acquire_owned() {
                    Ok(room) => new.push((namespace, Some(room))),
                    Err(_) => left_out += 1,
                },
            }
        }
        self.begin(redis, new).await;
        redis.took_up_all_but(left_out);
    }

    /// Ends what is forgotten.
    async fn forget(&self, redis: &WatchedRedis) {
        let here = self.all().into_iter().filter(|service| service.id.redis == redis.redis.name);
        for service in here.filter(|service| service.is_forgotten_after(FORGOTTEN_AFTER)) {
            self.running().remove(&service.id.to_string());
            info!(service = %service.id, "no node of it is known any more: it is forgotten");
            service.stop().await;
        }
    }

    /// Begins to watch these namespaces, side by side. Answers how many are not begun: what failed is
    /// tried again later and later.
    async fn begin(&self, redis: &WatchedRedis, new: Vec<(String, Option<Room>)>) -> usize {
        let beginning = new.into_iter().map(|(namespace, room)| async move {
            let id = ServiceId::new(redis.redis.name.as_deref(), &namespace);
            if !self.failures.is_due(&id, Instant::now()) {
                return false;
            }
            let begun = self.add(redis, (&id, room)).await;
            self.failures.note(&id, begun.as_ref().err(), Instant::now());
            begun.is_ok()
        });
        let begun = futures::stream::iter(beginning).buffer_unordered(BEGIN_AT_ONCE);
        begun.filter(|begun| std::future::ready(!begun)).count().await
    }

    /// Begins to watch a service, unless it is watched already.
    async fn add(
        &self,
        redis: &WatchedRedis,
        (id, room): (&ServiceId, Option<Room>),
    ) -> anyhow::Result<()> {
        if self.get(&id.to_string()).is_some() {
            return Ok(());
        }
        let key = self.settings.fleet_key.as_ref().map_or("", Secret::reveal);
        let (expected, expected_once_heard) = self.expected_of(id);
        let settings = ConsoleSettings {
            protected: self.settings.common.protected.clone(),
            expected,
            expected_once_heard,
            limits: self.limits.clone(),
            ..Arc::clone(&self.access).into()
        };
        let end = self.tasks.shutdown().child_token();
        let address = (&redis.redis.address, key);
        let service = Service::start(id.clone(), address, settings, (&self.front, end)).await?;
        let service = service.in_room(room);
        info!(service = %id, "watches a service");
        self.running().insert(id.to_string(), Arc::new(service));
        Ok(())
    }
}
