//! Services are taken up as they are named or announce themselves, several at a time, and end when
//! they are forgotten. Nothing waits for a Redis that does not answer but what is about that Redis.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use strata_console::ConsoleSettings;
use tokio::time::sleep;
use tracing::{info, warn};

use super::list::Services;
use super::service::Service;
use super::service_id::ServiceId;
use super::watched_redis::WatchedRedis;
use crate::config::Secret;

/// How often Redis is asked which services there are, and what could not begin is tried again.
const LOOKED_AGAIN: Duration = Duration::from_secs(2);

/// A service is forgotten where no node announced it for so long and none is known.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// So many services are shown.
const MAX_SERVICES: usize = 200;

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
            let left = self.begin(redis, redis.named.iter().cloned().collect()).await;
            if left == 0 {
                return redis.took_up_all_but(0);
            }
            sleep(LOOKED_AGAIN).await;
        }
    }

    /// Takes up what is new.
    async fn take_up(&self, redis: &WatchedRedis, announced: Vec<String>) {
        let mut new = Vec::new();
        for namespace in announced {
            let id = ServiceId::new(redis.redis.name.as_deref(), &namespace);
            match self.get(&id.to_string()) {
                Some(service) => service.note(),
                None => new.push(namespace),
            }
        }
        let room = MAX_SERVICES.saturating_sub(self.running().len());
        let left_out = new.len().saturating_sub(room);
        new.truncate(room);
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

    /// Begins to watch these namespaces, side by side. Answers how many could not be begun.
    async fn begin(&self, redis: &WatchedRedis, namespaces: Vec<String>) -> usize {
        let beginning = namespaces.into_iter().map(|namespace| async move {
            let id = ServiceId::new(redis.redis.name.as_deref(), &namespace);
            let begun = self.add(redis, &id).await;
            begun.inspect_err(|error| {
                warn!(service = %id, "failed to begin to watch a service: {error:#}");
            })
        });
        let begun = futures::stream::iter(beginning).buffer_unordered(BEGIN_AT_ONCE);
        begun.filter(|begun| std::future::ready(begun.is_err())).count().await
    }

    /// Begins to watch a service, unless it is watched already.
    async fn add(&self, redis: &WatchedRedis, id: &ServiceId) -> anyhow::Result<()> {
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
        info!(service = %id, "watches a service");
        self.running().insert(id.to_string(), Arc::new(service));
        Ok(())
    }
}
