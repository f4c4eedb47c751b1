//! What a node's caches and its background tasks share.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use strata_report::{L2Report, NodeReport};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::builder::check_name;
use super::cache_by_name::CacheByName;
use super::dyn_cache::DynCache;
use super::dyn_write_behind::DynWriteBehind;
use super::tasks::Tasks;
use crate::bus::{BusHandler, BusReader, Message, Missed, prove};
use crate::clock;
use crate::connection::{Bus, Link, Step};
use crate::error::{BuildError, CacheError, NotReady};
use crate::l2::{EvictionPolicy, Keyspace, LeaseWaits};
use crate::log::{LogLimit, log_safely};
use crate::target::Target;

impl Shared {
    pub(crate) fn l2_report(&self) -> L2Report {
        let Some(link) = self.link() else { return L2Report::default() };
        L2Report { eviction_policy: self.eviction().policy(), ..link.report() }
    }

    /// A cache by its name: one of its own or, where the node only looks on, any of the namespace.
    pub(crate) fn cache(&self, name: &str) -> Option<Arc<dyn DynCache>> {
        if self.bus.observes() && check_name(name).is_ok() {
            return self.cache_by_name(name);
        }
        self.caches().into_iter().find(|cache| cache.name() == name)
    }

    /// Any cache of the namespace as Redis has it; `None` without Redis, and of a name that no cache
    /// has.
    pub(crate) fn cache_by_name(&self, name: &str) -> Option<Arc<dyn DynCache>> {
        check_name(name).ok()?;
        let keyspace = self.keyspace(name, 0)?;
        Some(Arc::new(CacheByName::new(name, keyspace)))
    }

    /// The caches and structures whose data in Redis could not be loaded again.
    pub(crate) fn unloadable(&self) -> Vec<String> {
        let durable =
            self.write_behinds().into_iter().filter(|write_behind| write_behind.is_durable());
        let mut names: Vec<String> =
            durable.map(|write_behind| write_behind.cache().to_owned()).collect();
        names.extend(self.structure_names());
        names
    }
}

/// The task that listens to the bus, in reports.
pub(crate) const BUS_TASK: &str = "bus";

/// State that a node's caches and its background tasks share.
pub(crate) struct Shared {
    pub(super) id: String,
    version: String,
    started_at_ms: u64,
    pub(super) link: Option<Arc<Link>>,
    lease_waits: Option<Arc<LeaseWaits>>,
    bus: Bus,
    pub(super) bus_reader: BusReader,
    caches: RwLock<Vec<Weak<dyn DynCache>>>,
    write_behinds: RwLock<Vec<Weak<dyn DynWriteBehind>>>,
    structures: RwLock<HashSet<String>>,
    pub(super) eviction: Arc<EvictionPolicy>,
    pub(super) to_reclaim: Notify,
    gaps_told: LogLimit,
    pub(super) shutdown: CancellationToken,
    pub(super) tasks: Tasks,
    /// How consoles elsewhere see it; `None` where they do not.
    #[cfg(feature = "fleet")]
    pub(super) presence: Option<Arc<crate::fleet::Presence>>,
    #[cfg(feature = "fleet")]
    pub(super) refreshers: super::fleet_host::Refreshers,
}

impl Shared {
    pub(crate) fn new(
        (id, version): (String, String),
        link: Option<Arc<Link>>,
        bus: Bus,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            id,
            version,
            started_at_ms: clock::now_ms(),
            bus_reader: BusReader::new(bus.clone(), link.is_some()),
            lease_waits: link.clone().map(LeaseWaits::new),
            link,
            bus,
            caches: RwLock::default(),
            write_behinds: RwLock::default(),
            structures: RwLock::default(),
            eviction: Arc::default(),
            to_reclaim: Notify::new(),
            gaps_told: LogLimit::new(),
            tasks: Tasks::new(shutdown.clone()),
            #[cfg(feature = "fleet")]
            presence: None,
            #[cfg(feature = "fleet")]
            refreshers: super::fleet_host::Refreshers::default(),
            shutdown,
        }
    }

    /// Consoles elsewhere see it so.
    #[cfg(feature = "fleet")]
    pub(super) fn present_as(self, presence: Option<Arc<crate::fleet::Presence>>) -> Self {
        Self { presence, ..self }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn namespace(&self) -> &str {
        self.bus.namespace()
    }

    pub(crate) fn link(&self) -> Option<&Arc<Link>> {
        self.link.as_ref()
    }

    pub(crate) fn bus_reader(&self) -> &BusReader {
        &self.bus_reader
    }

    /// A number of the bus such that every invalidation up to it has begun by now. Loads that begin
    /// from now on have seen them all.
    pub(crate) fn stamp(&self) -> u64 {
        self.bus_reader.heard().max(self.link().map_or(0, |link| link.floor()))
    }

    /// The number of the last message on the bus, from any node.
    pub(crate) async fn bus_sequence(&self) -> Option<u64> {
        let mut get = redis::cmd("GET");
        get.arg(self.bus.sequence());
        Some(self.link()?.ask::<Option<u64>>(Step::Inspect, &get).await.ok()?.unwrap_or(0))
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Checks whether Redis accepts this node's invalidations.
    pub(crate) async fn ready_to_invalidate(&self) -> Result<(), NotReady> {
        match self.link() {
            None => Ok(()),
            Some(link) if link.is_open() || link.waits() => Err(NotReady::Away),
            Some(_) if self.bus.is_proved() => Ok(()),
            Some(link) => prove(&self.bus, link).await,
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    pub(crate) fn end(&self) {
        self.bus_reader.trust().end();
        self.shutdown.cancel();
    }

    pub(crate) fn report(&self) -> NodeReport {
        let tasks = self.tasks.report();
        NodeReport {
            node: self.id.clone(),
            version: self.version.clone(),
            started_at_ms: self.started_at_ms,
            at_ms: clock::now_ms(),
            bus: self.bus_reader.report(tasks.iter().find(|task| task.task == BUS_TASK)),
            l2: self.l2_report(),
            tasks,
            caches: self.caches().iter().map(|cache| cache.report()).collect(),
            write_behinds: self.write_behinds().into_iter().map(DynWriteBehind::report).collect(),
            structures: self.structure_names(),
            // A console that reads it elsewhere says which run it is of.
            run: String::new(),
        }
    }

    /// The known eviction policy of Redis.
    pub(crate) fn eviction(&self) -> &Arc<EvictionPolicy> {
        &self.eviction
    }

    /// This cache's keys in L2, as a schema names them. `None` without Redis.
    pub(crate) fn keyspace(&self, cache: &str, schema: u16) -> Option<Keyspace> {
        let lease_waits = self.lease_waits.as_ref()?;
        Some(Keyspace::new(lease_waits, self.bus.clone(), (cache, schema)))
    }

    pub(crate) fn register(&self, cache: &Arc<impl DynCache + 'static>) -> Result<(), BuildError> {
        let mut caches = self.caches.write().unwrap_or_else(PoisonError::into_inner);
        caches.retain(|cache| cache.strong_count() > 0);
        let taken =
            caches.iter().filter_map(Weak::upgrade).any(|other| other.name() == cache.name());
        if taken || self.has_structures(cache.name()) {
            return Err(BuildError::DuplicateName(cache.name().to_owned()));
        }
        let cache: Arc<dyn DynCache> = cache.clone();
        caches.push(Arc::downgrade(&cache));
        Ok(())
    }

    /// Reserves a name for structures as long as the node lives. Their keys must not be a cache's.
    pub(crate) fn name_structures(&self, name: &str) -> Result<(), BuildError> {
        // Held until the end, so that no cache takes the name in between.
        let caches = self.caches.read().unwrap_or_else(PoisonError::into_inner);
        if caches.iter().filter_map(Weak::upgrade).any(|cache| cache.name() == name) {
            return Err(BuildError::DuplicateName(name.to_owned()));
        }
        let mut structures = self.structures.write().unwrap_or_else(PoisonError::into_inner);
        structures.insert(name.to_owned());
        self.eviction.matters.notify_one();
        Ok(())
    }

    pub(crate) fn has_structures(&self, name: &str) -> bool {
        self.structures.read().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    pub(crate) fn structure_names(&self) -> Vec<String> {
        let structures = self.structures.read().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = structures.iter().cloned().collect();
        names.sort();
        names
    }

    pub(crate) fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Registers a cache's write-behind for the messages that the cache hears.
    pub(crate) fn listen(
        &self,
        write_behind: Weak<dyn DynWriteBehind>,
        cache: &str,
    ) -> Result<(), BuildError> {
        let mut write_behinds = self.write_behinds.write().unwrap_or_else(PoisonError::into_inner);
        write_behinds.retain(|write_behind| write_behind.strong_count() > 0);
        if write_behinds.iter().filter_map(Weak::upgrade).any(|other| other.cache() == cache) {
            return Err(BuildError::DuplicateWriteBehind(cache.to_owned()));
        }
        write_behinds.push(write_behind);
        self.eviction.matters.notify_one();
        Ok(())
    }

    /// Tells a cache's write-behind what is invalidated on this node.
    pub(crate) fn overtake_unwritten(&self, cache: &str, targets: impl FnOnce() -> Vec<Target>) {
        if let Some(write_behind) =
            self.write_behinds().into_iter().find(|write_behind| write_behind.cache() == cache)
        {
            targets().iter().for_each(|target| write_behind.overtaken(target));
        }
    }

    pub(crate) fn write_behinds(&self) -> Vec<Arc<dyn DynWriteBehind>> {
        let write_behinds = self.write_behinds.read().unwrap_or_else(PoisonError::into_inner);
        write_behinds.iter().filter_map(Weak::upgrade).collect()
    }

    /// The write-behind of a cache, or that there is none.
    pub(crate) fn write_behind(&self, cache: &str) -> Result<Arc<dyn DynWriteBehind>, CacheError> {
        let found = self.write_behinds().into_iter().find(|writes| writes.cache() == cache);
        found.ok_or_else(|| CacheError::NoWriteBehind(cache.to_owned()))
    }

    pub(crate) fn caches(&self) -> Vec<Arc<dyn DynCache>> {
        let caches = self.caches.read().unwrap_or_else(PoisonError::into_inner);
        caches.iter().filter_map(Weak::upgrade).collect()
    }
}

impl BusHandler for Shared {
    #[cfg(feature = "fleet")]
    fn asks(&self) -> Option<&dyn crate::bus::AskHandler> {
        self.presence.as_ref().map(|presence| presence.gate() as &dyn crate::bus::AskHandler)
    }

    fn on_message(&self, message: &Message) {
        for cache in self.caches().iter().filter(|cache| cache.name() == message.cache) {
            cache.on_message(message);
        }
        for write_behind in
            self.write_behinds().iter().filter(|write_behind| write_behind.cache() == message.cache)
        {
            write_behind.on_message(message);
        }
    }

    fn on_gap(&self, missed: &Missed) {
        for cache in self.caches().iter().filter(|cache| missed.is_of(cache.name())) {
            match missed {
                Missed::Any => cache.raise_epoch(),
                Missed::Of(_) => cache.on_gap(),
            }
        }
        for write_behind in
            self.write_behinds().iter().filter(|write_behind| missed.is_of(write_behind.cache()))
        {
            write_behind.on_gap();
        }
        if let Some(times) = self.gaps_told.due() {
            log_safely(|| {
                let node = &*self.id;
                let what = "invalidations may have been missed: L1 is emptied";
                tracing::warn!(node, ?missed, times, "{what}");
            });
        }
    }
}
