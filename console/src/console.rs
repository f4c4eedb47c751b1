use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strata_cache::Tasks;
use strata_report::{
    Alert, AuditEntry, AuditPage, CacheFrame, Frame, NodeReport, Past, Range, RedisState, Session,
    Snapshot, TaskReport,
};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use crate::activity::Feed;
use crate::audit::Audit;
use crate::census::Census;
use crate::clock::now_ms;
use crate::dead_letter_jobs::DeadLetterJobs;
use crate::details::Surveys;
use crate::found::Finds;
use crate::guests::Guests;
use crate::jobs::Jobs;
use crate::looks::Looks;
use crate::peer_limit::{Bounds, PeerLimit};
use crate::plans::Plans;
use crate::redis::RedisSaid;
use crate::sampler::{Heard, Sampler, Taken, Tick};
use crate::{
    Access, Actor, ConsoleError, ConsoleSettings, NodeFace, Protected, SourceFace, not_heard,
};

const TICK: Duration = Duration::from_secs(1);

/// Invalidations that run, in all and of each peer.
const MAX_JOBS: Bounds = Bounds { in_all: 32, of_peer: 8 };
/// Uploads that are read, in all and of each peer.
const MAX_UPLOADS: Bounds = Bounds { in_all: 4, of_peer: 2 };
/// Experiments that run, in all and of each peer.
const MAX_EXPERIMENTS: Bounds = Bounds { in_all: 8, of_peer: 4 };

/// What an operator sees and may do. Cheap to clone; all clones are the same console.
#[derive(Clone)]
pub struct Console {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    /// The service's own.
    pub(crate) nodes: Vec<Arc<dyn NodeFace>>,
    pub(crate) guests: Arc<Guests>,
    pub(crate) audit: Audit,
    pub(crate) jobs: Jobs,
    pub(crate) dead_letter_jobs: DeadLetterJobs,
    pub(crate) plans: Plans,
    pub(crate) finds: Finds,
    pub(crate) looks: Looks,
    pub(crate) jobs_begun: Arc<PeerLimit>,
    pub(crate) uploads: Arc<PeerLimit>,
    pub(crate) experiments: Arc<PeerLimit>,
    pub(crate) feed: Feed,
    /// Each node as it was last heard.
    pub(crate) seen: Mutex<BTreeMap<String, NodeReport>>,
    pub(crate) protected: Vec<Protected>,
    pub(crate) sources: Vec<Arc<dyn SourceFace>>,
    access: Access,
    pub(crate) redis_is_private: bool,
    pub(crate) census: Arc<Census>,
    pub(crate) surveys: Surveys,
    /// What Redis said of itself, for those who ask at the same time.
    pub(crate) redis_said: tokio::sync::Mutex<Option<RedisSaid>>,
    sampler: Mutex<Sampler>,
    tasks: Tasks,
    ticks: watch::Sender<Arc<Tick>>,
}

impl Console {
    /// Samples each node at once, so that the first frame is complete, and then once a second
    /// until `shutdown`, by a background task that starts again where it fails. Call it inside a
    /// tokio runtime.
    pub fn start(
        nodes: Vec<Arc<dyn NodeFace>>,
        settings: impl Into<ConsoleSettings>,
        shutdown: CancellationToken,
    ) -> Self {
        let ConsoleSettings { access, protected, sources, redis_is_private, tasks } =
            settings.into();
        let tasks = match tasks {
            Some(tasks) => tasks.until(shutdown),
            None => Tasks::new(shutdown),
        };
        let census = Arc::new(Census::default());
        let mut sampler = Sampler::new(now_ms());
        let heard = Heard { nodes: reports(&nodes), ..Heard::default() };
        let first = sampler.tick(Taken::now(), heard, &census);
        census.start(&nodes, &tasks);
        let inner = Inner {
            nodes,
            guests: Arc::default(),
            audit: Audit::default(),
            jobs: Jobs::default(),
            dead_letter_jobs: DeadLetterJobs::default(),
            plans: Plans::default(),
            finds: Finds::default(),
            looks: Looks::default(),
            jobs_begun: PeerLimit::new("invalidations", MAX_JOBS),
            uploads: PeerLimit::new("uploads", MAX_UPLOADS),
            experiments: PeerLimit::new("experiments", MAX_EXPERIMENTS),
            feed: Feed::default(),
            seen: Mutex::default(),
            protected,
            sources,
            access,
            redis_is_private,
            census,
            surveys: Surveys::default(),
            redis_said: tokio::sync::Mutex::default(),
            sampler: Mutex::new(sampler),
            tasks,
            ticks: watch::Sender::new(Arc::new(first)),
        };
        let console = Self { inner: Arc::new(inner) };
        console.notice(&[]);
        console.spawn_tasks();
        console
    }

    fn spawn_tasks(&self) {
        let (sampling, counting, keeping) = (self.clone(), self.clone(), self.clone());
        let census = self.clone();
        let tasks = &self.inner.tasks;
        tasks.spawn("sampler", move || sampling.clone().sample());
        tasks.spawn("census", move || census.clone().count_keys());
        tasks.spawn("attached census", move || counting.clone().count_guests());
        tasks.spawn("audit", move || keeping.clone().keep_audit());
    }

    /// The background tasks of this console, and of the program where it lent its list, at this
    /// instant.
    pub fn tasks(&self) -> Vec<TaskReport> {
        self.inner.tasks.report()
    }

    /// Who may act.
    pub fn access(&self) -> &Access {
        &self.inner.access
    }

    /// The newest frame.
    pub fn frame(&self) -> Arc<Frame> {
        self.inner.census.look();
        Arc::clone(&self.tick().frame)
    }

    /// Redis as in the newest frame, for those who do not look: its keys need not be counted.
    pub fn redis_state(&self) -> RedisState {
        self.tick().frame.redis.clone()
    }

    /// All caches of the service together over a range, with what operators did in it.
    pub fn history(&self, range: Range) -> Past {
        let (past, own) = {
            let sampler = self.sampler();
            (sampler.past(range), sampler.own_caches().clone())
        };
        let mut past = self.marked(past, None);
        past.markers.retain(|deed| deed.cache.is_empty() || own.contains(&deed.cache));
        past
    }

    /// One cache over a range, with what operators did to it.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`].
    pub fn cache_history(&self, name: &str, range: Range) -> Result<Past, ConsoleError> {
        self.cache(name)?;
        let past = self.sampler().past_of(name, range);
        Ok(self.marked(past, Some(name)))
    }

    /// All that a page needs to be up to date. Frame and history are of the same second.
    pub fn snapshot(&self) -> Snapshot {
        // The sampler sends its tick before it is unlocked, so the two belong together.
        let sampler = self.sampler();
        Snapshot { frame: self.frame().for_screens(), history: sampler.chart() }
    }

    /// Each second's tick. A reader that is too slow misses ticks, never blocks them.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Tick>> {
        self.inner.census.look();
        self.inner.ticks.subscribe()
    }

    /// Every node of the service as it reported for the newest frame.
    pub fn nodes(&self) -> Vec<NodeReport> {
        self.tick().reports.to_vec()
    }

    /// Every cache in the newest frame, those of guests too.
    pub fn caches(&self) -> Vec<CacheFrame> {
        self.frame().caches.clone()
    }

    /// One cache in the newest frame.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`].
    pub fn cache(&self, name: &str) -> Result<CacheFrame, ConsoleError> {
        let frame = self.frame();
        let cache = frame.caches.iter().find(|cache| cache.report.cache == name);
        cache.cloned().ok_or_else(|| ConsoleError::unknown_cache(name))
    }

    /// What an operator should look at, as of the newest frame, worst first.
    pub fn alerts(&self) -> Vec<Alert> {
        let mut alerts = self.tick().alerts.to_vec();
        let tasks = self.tasks();
        // The sampler makes them, and cannot tell of its own end.
        if let Some(sampler) = tasks.iter().find(|task| task.task == "sampler" && !task.runs()) {
            let told = crate::alerts::of_program(std::slice::from_ref(sampler), now_ms());
            alerts.splice(0..0, told);
        }
        alerts
    }

    /// What the actor may do, and why not.
    pub fn session(&self, actor: &Actor) -> Session {
        self.inner.access.session(actor)
    }

    /// What was done and refused, newest first; the newest 1 000.
    pub fn audit(&self) -> Vec<AuditEntry> {
        self.inner.audit.before(None, 1_000).entries
    }

    /// What was done and refused before the entry with that id, newest first; the newest without.
    pub fn audit_page(&self, before: Option<u64>, limit: usize) -> AuditPage {
        AuditPage { home: self.audit_home(), ..self.inner.audit.before(before, limit) }
    }

    fn marked(&self, past: Past, cache: Option<&str>) -> Past {
        let span_ms = u64::try_from(past.range.span().as_millis()).unwrap_or(u64::MAX);
        let since_ms = self.tick().frame.at_ms.saturating_sub(span_ms);
        Past { markers: self.inner.audit.markers(since_ms, cache), ..past }
    }

    pub(crate) fn tick(&self) -> Arc<Tick> {
        Arc::clone(&self.inner.ticks.borrow())
    }

    /// Takes notice of what changed since `earlier`.
    fn notice(&self, earlier: &[NodeReport]) {
        let tick = self.tick();
        self.feed(earlier, &tick.reports);
        let mut seen = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for report in tick.reports.iter() {
            seen.insert(report.node.clone(), report.clone());
        }
    }

    fn sampler(&self) -> MutexGuard<'_, Sampler> {
        self.inner.sampler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn count_keys(self) {
        let has_streams = || self.inner.ticks.receiver_count() > 0;
        self.inner.census.watch_counts(&self.inner.nodes, has_streams).await;
    }

    async fn sample(self) {
        let mut ticks = interval_at(Instant::now() + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let heard = Heard {
                nodes: reports(&self.inner.nodes),
                guests: self.inner.guests.reports(),
                tasks: self.tasks(),
            };
            let earlier = self.tick();
            {
                let mut sampler = self.sampler();
                let tick = sampler.tick(Taken::now(), heard, &self.inner.census);
                self.inner.ticks.send_replace(Arc::new(tick));
            }
            self.notice(&earlier.reports);
            self.tell_replayed();
            self.inner.finds.forget();
        }
    }
}

fn reports(nodes: &[Arc<dyn NodeFace>]) -> Vec<NodeReport> {
    nodes.iter().filter_map(|node| heard(&**node)).collect()
}

/// What a node says of itself; one that panics is not heard, and keeps no other from being heard.
pub(crate) fn heard(node: &dyn NodeFace) -> Option<NodeReport> {
    catch_unwind(AssertUnwindSafe(|| node.report())).unwrap_or_else(|panic| {
        not_heard::tell(node, &*panic);
        None
    })
}
