use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_app::{ListedRedis, ListedService};
use strata_cache::Tasks;
use strata_console::{Access, ConsoleLimits, ConsoleSettings, ExpectedNodes};
use strata_dashboard::program::LabelledConsole;
use tokio::time::sleep;
use tracing::{info, warn};

use super::super::served_console::ServedConsole;
use super::place::Place;
use super::service::Service;
use super::service_id::ServiceId;
use crate::config::{Secret, ServeSettings};

/// How often Redis is asked which services there are.
const LOOKED_AGAIN: Duration = Duration::from_secs(2);

/// A service is forgotten where no node announced it for so long and none is known.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// So many services are shown.
const MAX_SERVICES: usize = 200;

/// All services that a program shows, as they come and go.
pub(in super::super) struct Services {
    settings: ServeSettings,
    access: Arc<Access>,
    limits: ConsoleLimits,
    tasks: Tasks,
    pub(super) front: ServedConsole,
    places: Vec<Place>,
    running: Mutex<BTreeMap<String, Arc<Service>>>,
}

impl Services {
    /// Starts to watch the named services, or to look for those that announce themselves.
    ///
    /// # Errors
    /// Where an address of Redis makes no sense.
    pub(in super::super) async fn start(
        settings: ServeSettings,
        access: Arc<Access>,
        (front, tasks): (ServedConsole, Tasks),
    ) -> anyhow::Result<Arc<Self>> {
        let looks = settings.wanted.is_empty();
        let places = settings.redis.iter().map(|redis| Place::new(redis.clone(), looks));
        let places = places.collect::<anyhow::Result<Vec<_>>>()?;
        let services = Arc::new(Self {
            settings,
            access,
            limits: ConsoleLimits::default(),
            tasks,
            front,
            places,
            running: Mutex::default(),
        });
        for place in &services.places {
            for namespace in services.wanted_in(place) {
                services.add(place, &namespace).await?;
            }
        }
        services.spawn_tasks();
        Ok(services)
    }

    fn spawn_tasks(self: &Arc<Self>) {
        for (i, place) in self.places.iter().enumerate().filter(|_| self.looks()) {
            let name = match &place.redis.name {
                Some(name) => format!("services in {name}"),
                None => "services".to_owned(),
            };
            let services = Arc::clone(self);
            self.tasks.spawn(&name, move || Arc::clone(&services).look_in(i));
        }
        let services = Arc::clone(self);
        self.tasks.spawn("pace of services", move || Arc::clone(&services).keep_pace());
    }

    fn looks(&self) -> bool {
        self.settings.wanted.is_empty()
    }

    fn wanted_in(&self, place: &Place) -> Vec<String> {
        let wanted = self.settings.wanted.iter();
        let here = wanted.filter(|one| one.redis.is_none() || one.redis == place.redis.name);
        here.map(|one| one.namespace.clone()).collect()
    }

    async fn look_in(self: Arc<Self>, place: usize) {
        let Some(place) = self.places.get(place) else { return };
        loop {
            if let Some(announced) = place.announced().await {
                self.take(place, &announced).await;
            }
            sleep(LOOKED_AGAIN).await;
        }
    }

    /// Takes up what is new, and ends what is forgotten.
    async fn take(&self, place: &Place, announced: &[String]) {
        let mut left_out = 0;
        for namespace in announced {
            let id = ServiceId::new(place.redis.name.as_deref(), namespace);
            let known = self.get(&id.to_string());
            match known {
                Some(service) => service.note(),
                None if self.running().len() >= MAX_SERVICES => left_out += 1,
                None => {
                    if let Err(error) = self.add(place, namespace).await {
                        warn!(service = %id, "failed to begin to watch a service: {error:#}");
                    }
                }
            }
        }
        place.leave_out(left_out);
        let here = self.all().into_iter().filter(|service| service.id.redis == place.redis.name);
        for service in here.filter(|service| service.is_forgotten_after(FORGOTTEN_AFTER)) {
            self.running().remove(&service.id.to_string());
            info!(service = %service.id, "no node of it is known any more: it is forgotten");
            service.stop().await;
        }
    }

    async fn add(&self, place: &Place, namespace: &str) -> anyhow::Result<()> {
        let id = ServiceId::new(place.redis.name.as_deref(), namespace);
        let key = self.settings.fleet_key.as_ref().map_or("", Secret::reveal);
        let (expected, expected_once_heard) = self.expected_of(&id);
        let settings = ConsoleSettings {
            protected: self.settings.common.protected.clone(),
            expected,
            expected_once_heard,
            limits: self.limits.clone(),
            ..Arc::clone(&self.access).into()
        };
        let end = self.tasks.shutdown().child_token();
        let started =
            Service::start(id.clone(), (&place.redis.address, key), settings, (&self.front, end));
        let service = Arc::new(started.await?);
        info!(service = %id, "watches a service");
        self.running().insert(id.to_string(), service);
        Ok(())
    }

    /// How many nodes there should be of it: of its namespace by name, and of each program once a node
    /// of it was heard. Where it is the only one, all that are expected are expected here.
    fn expected_of(&self, id: &ServiceId) -> (Vec<ExpectedNodes>, Vec<ExpectedNodes>) {
        let is_only = self.settings.wanted.len() == 1 && self.places.len() == 1;
        let is_here =
            |one: &ExpectedNodes| is_only || [&id.namespace, &id.to_string()].contains(&&one.app);
        let (mut here, others): (Vec<_>, Vec<_>) =
            self.settings.expected.iter().cloned().partition(is_here);
        // Its console knows it by its namespace.
        for one in here.iter_mut().filter(|one| one.app == id.to_string()) {
            one.app.clone_from(&id.namespace);
        }
        (here, others)
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
        (self.places.len() == 1 || self.places.iter().all(Place::tells)).then_some(only)
    }

    pub(super) fn listed(&self) -> (Vec<ListedService>, Vec<ListedRedis>) {
        let listed = |service: Arc<Service>| ListedService {
            id: service.id.to_string(),
            namespace: service.id.namespace.clone(),
            redis: service.id.redis.clone(),
            frame: service.console.glance(),
        };
        let redis = self.places.iter().map(Place::listed).collect();
        (self.all().into_iter().map(listed).collect(), redis)
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

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Service>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
