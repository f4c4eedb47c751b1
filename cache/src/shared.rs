use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use strata_report::NodeReport;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::bus::{self, Bus, Hearer, Message, Missed, Subject, Tail};
use crate::eviction::Eviction;
use crate::face::CacheFace;
use crate::l2::{Keyspace, Link, Pending, Step};
use crate::tasks::log_safely;
use crate::write_behind::DynWriteBehind;
use crate::{BuildError, LogLimit, NotReady, Tasks, clock, reclaim};

/// How often L1's upkeep runs where nobody reads.
const UPKEEP: Duration = Duration::from_millis(250);

/// The task that listens to the bus, in reports.
const BUS_TASK: &str = "bus";

/// What a node's caches and its background tasks share.
pub(crate) struct Shared {
    id: String,
    version: String,
    started_at_ms: u64,
    link: Option<Arc<Link>>,
    bus: Bus,
    tail: Tail,
    caches: RwLock<Vec<Weak<dyn CacheFace>>>,
    ears: RwLock<Vec<Weak<dyn DynWriteBehind>>>,
    structures: RwLock<HashSet<String>>,
    eviction: Arc<Eviction>,
    to_reclaim: Notify,
    gaps_told: LogLimit,
    shutdown: CancellationToken,
    tasks: Tasks,
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
            tail: Tail::new(bus.clone(), link.is_some()),
            link,
            bus,
            caches: RwLock::default(),
            ears: RwLock::default(),
            structures: RwLock::default(),
            eviction: Arc::default(),
            to_reclaim: Notify::new(),
            gaps_told: LogLimit::new(),
            tasks: Tasks::new(shutdown.clone()),
            shutdown,
        }
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

    pub(crate) fn tail(&self) -> &Tail {
        &self.tail
    }

    /// A number of the bus below which every invalidation has begun by now: what is loaded from now
    /// on has seen them all.
    pub(crate) fn stamp(&self) -> u64 {
        self.tail.heard().max(self.link().map_or(0, |link| link.floor()))
    }

    /// The number of the last message that anybody appended to the bus.
    pub(crate) async fn bus_sequence(&self) -> Option<u64> {
        let mut get = redis::cmd("GET");
        get.arg(self.bus.sequence());
        Some(self.link()?.ask::<Option<u64>>(Step::Inspect, &get).await.ok()?.unwrap_or(0))
    }

    pub(crate) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// Whether Redis takes this node's invalidations.
    pub(crate) async fn ready_to_invalidate(&self) -> Result<(), NotReady> {
        match self.link() {
            None => Ok(()),
            Some(link) if link.is_open() || link.waits() => Err(NotReady::Away),
            Some(_) if self.bus.is_proved() => Ok(()),
            Some(link) => bus::prove(&self.bus, link).await,
        }
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.shutdown.is_cancelled()
    }

    pub(crate) fn end(&self) {
        self.tail.trust().end();
        self.shutdown.cancel();
    }

    pub(crate) fn report(&self) -> NodeReport {
        let tasks = self.tasks.report();
        NodeReport {
            node: self.id.clone(),
            version: self.version.clone(),
            started_at_ms: self.started_at_ms,
            at_ms: clock::now_ms(),
            bus: self.tail.report(tasks.iter().find(|task| task.task == BUS_TASK)),
            l2: self.l2_report(),
            tasks,
            caches: self.caches().iter().map(|cache| cache.report()).collect(),
            write_behinds: self.ears().into_iter().map(DynWriteBehind::report).collect(),
            structures: self.structure_names(),
        }
    }

    /// What is known of Redis's policy of eviction.
    pub(crate) fn eviction(&self) -> &Arc<Eviction> {
        &self.eviction
    }

    /// This cache's keys in L2, as a schema names them; `None` without Redis.
    pub(crate) fn keyspace(&self, cache: &str, schema: u16) -> Option<Keyspace> {
        let link = Arc::clone(self.link.as_ref()?);
        Some(Keyspace::new(link, self.bus.clone(), (cache, schema)))
    }

    pub(crate) fn register(&self, cache: &Arc<impl CacheFace + 'static>) -> Result<(), BuildError> {
        let mut caches = self.caches.write().unwrap_or_else(PoisonError::into_inner);
        caches.retain(|cache| cache.strong_count() > 0);
        let taken =
            caches.iter().filter_map(Weak::upgrade).any(|other| other.name() == cache.name());
        if taken || self.has_structures(cache.name()) {
            return Err(BuildError::DuplicateName(cache.name().to_owned()));
        }
        let cache: Arc<dyn CacheFace> = cache.clone();
        caches.push(Arc::downgrade(&cache));
        Ok(())
    }

    /// Keeps a name for structures, as long as the node lives: their keys must not be a cache's.
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

    /// Lets a cache's write-behind hear what the cache hears.
    pub(crate) fn listen(
        &self,
        ear: Weak<dyn DynWriteBehind>,
        cache: &str,
    ) -> Result<(), BuildError> {
        let mut ears = self.ears.write().unwrap_or_else(PoisonError::into_inner);
        ears.retain(|ear| ear.strong_count() > 0);
        if ears.iter().filter_map(Weak::upgrade).any(|other| other.cache() == cache) {
            return Err(BuildError::DuplicateWriteBehind(cache.to_owned()));
        }
        ears.push(ear);
        self.eviction.matters.notify_one();
        Ok(())
    }

    /// Lets a cache's write-behind know what is invalidated here.
    pub(crate) fn overtake_unwritten(&self, cache: &str, subjects: impl FnOnce() -> Vec<Subject>) {
        if let Some(ear) = self.ears().into_iter().find(|ear| ear.cache() == cache) {
            subjects().iter().for_each(|subject| ear.overtaken(subject));
        }
    }

    pub(crate) fn ears(&self) -> Vec<Arc<dyn DynWriteBehind>> {
        let ears = self.ears.read().unwrap_or_else(PoisonError::into_inner);
        ears.iter().filter_map(Weak::upgrade).collect()
    }

    pub(crate) fn caches(&self) -> Vec<Arc<dyn CacheFace>> {
        let caches = self.caches.read().unwrap_or_else(PoisonError::into_inner);
        caches.iter().filter_map(Weak::upgrade).collect()
    }

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

    /// There is something in a cache's L1 that counts no more.
    pub(crate) fn reclaim_soon(&self) {
        self.to_reclaim.notify_one();
    }
}

impl Hearer for Shared {
    fn hear(&self, message: &Message) {
        for cache in self.caches().iter().filter(|cache| cache.name() == message.cache) {
            cache.hear(message);
        }
        for ear in self.ears().iter().filter(|ear| ear.cache() == message.cache) {
            ear.hear(message);
        }
    }

    fn gap(&self, missed: &Missed) {
        for cache in self.caches().iter().filter(|cache| missed.is_of(cache.name())) {
            match missed {
                Missed::Any => cache.raise_epoch(),
                Missed::Of(_) => cache.gap(),
            }
        }
        for ear in self.ears().iter().filter(|ear| missed.is_of(ear.cache())) {
            ear.gap();
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
            async move { reclaim::in_turns(&shared.to_reclaim, || shared.caches()).await }
        });
        let Some(link) = &self.link else { return };
        let shared = Arc::clone(self);
        let replay = move |connection, together: Vec<Pending>| {
            let shared = Arc::clone(&shared);
            async move {
                let Some(oldest) = together.first() else { return Ok(()) };
                let caches = shared.caches();
                let cache = caches.iter().find(|cache| cache.name() == oldest.cache());
                // It knows its own schema, whatever Redis has forgotten.
                let own = cache.and_then(|cache| cache.keyspace());
                let own = own.filter(|_| oldest.schema().is_none());
                let schema = oldest.schema().unwrap_or(0);
                let sequence = match (own, shared.keyspace(oldest.cache(), schema)) {
                    (Some(keyspace), _) => keyspace.replay(connection, &together).await?,
                    (None, Some(keyspace)) => keyspace.replay(connection, &together).await?,
                    (None, None) => return Ok(()),
                };
                if let ([Pending::Tag { cache, tag }], Some(sequence)) = (&*together, sequence) {
                    // Before L2 is trusted: nobody hears messages of their own.
                    for cache in shared.caches().iter().filter(|other| other.name() == cache) {
                        cache.tag_told(tag, sequence);
                    }
                }
                Ok(())
            }
        };
        let position = match link.probe(&replay).await {
            Ok(()) => self.tail.end(link).await,
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
            // Who listens again after a panic knows nothing of where it stood: a gap.
            let (shared, link, position) =
                (Arc::clone(&shared), Arc::clone(&link), position.take());
            async move {
                let hearer = Arc::clone(&shared) as Arc<dyn Hearer>;
                shared.tail.listen(link, position, hearer).await;
            }
        });
    }
}
