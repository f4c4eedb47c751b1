use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_app::{ListedRedis, ListedService};
use strata_cache::Tasks;
use strata_console::{Access, ConsoleLimits};
use strata_dashboard::program::LabelledConsole;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

use super::super::served_console::ServedConsole;
use super::failures::Failures;
use super::service::Service;
use super::starting::MAX_SERVICES;
use super::watched_redis::WatchedRedis;
use crate::config::ServeSettings;

/// All services that a program shows, as they come and go.
pub(in super::super) struct Services {
    pub(super) settings: ServeSettings,
    pub(super) access: Arc<Access>,
    pub(super) limits: ConsoleLimits,
    pub(super) tasks: Tasks,
    pub(super) front: ServedConsole,
    pub(super) redis: Vec<WatchedRedis>,
    pub(super) began: Instant,
    /// Room for services that announce themselves.
    pub(super) room: Arc<Semaphore>,
    /// What could not begin.
    pub(super) failures: Failures,
    running: Mutex<BTreeMap<String, Arc<Service>>>,
}

impl Services {
    /// Begins to watch the named services, or to look for those that announce themselves. Waits for no
    /// Redis.
    ///
    /// # Errors
    /// Where an address of Redis makes no sense.
    pub(in super::super) fn start(
        settings: ServeSettings,
        access: Arc<Access>,
        (front, tasks): (ServedConsole, Tasks),
    ) -> anyhow::Result<Arc<Self>> {
        let redis = settings.redis.iter();
        let redis = redis.map(|redis| WatchedRedis::new(redis.clone(), &settings.wanted));
        let redis = redis.collect::<anyhow::Result<Vec<_>>>()?;
        let services = Arc::new(Self {
            settings,
            access,
            limits: ConsoleLimits::default(),
            tasks,
            front,
            redis,
            began: Instant::now(),
            room: Arc::new(Semaphore::new(MAX_SERVICES)),
            failures: Failures::default(),
            running: Mutex::default(),
        });
        services.spawn_tasks();
        Ok(services)
    }

    fn spawn_tasks(self: &Arc<Self>) {
        for (i, redis) in self.redis.iter().enumerate() {
            let name = match &redis.redis.name {
                Some(name) => format!("services in {name}"),
                None => "services".to_owned(),
            };
            let services = Arc::clone(self);
            self.tasks.spawn(&name, move || Arc::clone(&services).watch_redis(i));
        }
        let services = Arc::clone(self);
        self.tasks.spawn("pace of services", move || Arc::clone(&services).keep_pace());
    }

    async fn keep_pace(self: Arc<Self>) {
        loop {
            self.all().iter().for_each(|service| service.keep_pace());
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// The service of this name in addresses.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Service>> {
        self.running().get(id).cloned()
    }

    /// Whether a service of this name is to be shown and does not run yet.
    pub(super) fn is_awaited(&self, id: &str) -> bool {
        self.get(id).is_none() && self.redis.iter().any(|redis| redis.names(id))
    }

    /// All that are shown, by name.
    pub(super) fn all(&self) -> Vec<Arc<Service>> {
        self.running().values().cloned().collect()
    }

    /// Their names.
    pub(super) fn ids(&self) -> Vec<String> {
        self.running().keys().cloned().collect()
    }

    /// The one that there is, where there is no sign of others.
    pub(super) fn only(&self) -> Option<Arc<Service>> {
        let running = self.running();
        let only = running.values().next().filter(|_| running.len() == 1).cloned()?;
        // While they are still being found, the first of them is not the only one.
        let is_alone = match self.redis.as_slice() {
            [redis] => redis.was_taken_up(),
            several => several.iter().all(WatchedRedis::tells),
        };
        is_alone.then_some(only)
    }

    pub(super) fn listed(&self) -> (Vec<ListedService>, Vec<ListedRedis>) {
        let listed = |service: Arc<Service>| ListedService {
            id: service.id.to_string(),
            namespace: service.id.namespace.clone(),
            redis: service.id.redis.clone(),
            frame: service.console.glance(),
        };
        let services = self.all();
        let redis = self.redis.iter().map(|redis| {
            let mut at = redis.listed();
            let here = services.iter().filter(|service| service.id.redis == redis.redis.name);
            let trouble = here.filter_map(|service| service.trouble()).next();
            at.failure = at.failure.or_else(|| redis.named_failure(&trouble?));
            at
        });
        let redis = redis.collect();
        (services.into_iter().map(listed).collect(), redis)
    }

    /// As Prometheus tells them apart.
    pub(in super::super) fn labelled(&self) -> Vec<LabelledConsole> {
        self.all().iter().map(|service| service.labelled()).collect()
    }

    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    /// Ends what watches them, all at once. The services' nodes go on.
    pub(in super::super) async fn stop(&self) {
        let all = self.all();
        futures::future::join_all(all.iter().map(|service| service.stop())).await;
    }

    pub(super) fn running(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Service>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
