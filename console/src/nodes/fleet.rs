//! The nodes of a namespace, wherever they run, as their reports in Redis show them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use strata_cache::{FleetClient, FleetNode, Node};
use strata_report::{FleetSums, NodePresence, PresenceState};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::client::NodeClient;
use super::remote::RemoteNode;
use super::shared_report::SharedReport;
use crate::clock::in_ms;

/// How often a console reads what nodes elsewhere report, and has them report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Once a second: somebody looks at them.
    #[default]
    Watched,
    /// Every five seconds, which costs little: their history goes on, and whoever begins to look
    /// sees numbers at once.
    Unwatched,
}

impl Pace {
    fn interval(self) -> Duration {
        Duration::from_secs(match self {
            Self::Watched => 1,
            Self::Unwatched => 5,
        })
    }
}

/// One read takes no longer, or Redis counts as away.
const POLL_WITHIN: Duration = Duration::from_secs(3);

/// So long after a read was due that should have succeeded, Redis counts as away.
const UNHEARD_AFTER: Duration = Duration::from_secs(3);

/// So long after somebody has looked at a key, nodes tell what happens to it.
const LOOKED_AT_FOR: Duration = Duration::from_secs(60);

/// While somebody waits for what reports show, they are read so often, for all who wait.
const READ_AGAIN: Duration = Duration::from_millis(100);

/// The nodes of a namespace, which come and go. Cheap to clone; all clones are the same.
///
/// The console reads what they report once a second. Until Redis can be reached, it knows of none.
#[derive(Clone)]
pub struct RemoteNodes {
    inner: Arc<Inner>,
}

struct Inner {
    /// What is changed and counted in Redis goes through it.
    observer: Node,
    client: FleetClient,
    started: Instant,
    known: Mutex<Known>,
    pace: watch::Sender<Pace>,
    /// The name of their Redis among several.
    redis: OnceLock<String>,
    /// How often they were read. Whoever waits for what reports show waits for the next read.
    reads: watch::Sender<u64>,
    n_waiting: AtomicUsize,
    waiting_begun: Notify,
}

#[derive(Default)]
struct Known {
    heard_at: Option<Instant>,
    /// By which the next read was due then.
    pace: Pace,
    /// By their ids.
    nodes: Vec<Arc<RemoteNode>>,
}

/// Nodes elsewhere at one tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct FleetTick {
    /// By their ids.
    pub(crate) presences: Vec<Arc<NodePresence>>,
    pub(crate) sums: FleetSums,
    /// Whose nodes they are.
    pub(crate) namespace: String,
    /// The name of their Redis among several.
    pub(crate) redis: Option<String>,
}

impl FleetTick {
    /// Whether its numbers are of an earlier time, because Redis cannot be reached.
    pub(crate) fn is_unheard(&self) -> bool {
        self.sums.unheard_ms.is_some()
    }

    /// Whether a node of this program is known.
    pub(crate) fn has_app(&self, app: &str) -> bool {
        self.presences.iter().any(|presence| presence.app == app)
    }

    pub(crate) fn presence(&self, node: &str) -> Option<&NodePresence> {
        let at =
            self.presences.binary_search_by(|presence| presence.node.as_str().cmp(node)).ok()?;
        Some(&self.presences[at])
    }
}

impl RemoteNodes {
    /// The nodes that `client` sees. `observer` is the node that it was made of, which only looks
    /// on; both end with the last clone.
    pub fn new(observer: Node, client: FleetClient) -> Self {
        let inner = Inner {
            observer,
            client,
            started: Instant::now(),
            known: Mutex::default(),
            reads: watch::Sender::new(0),
            n_waiting: AtomicUsize::new(0),
            waiting_begun: Notify::new(),
            pace: watch::Sender::default(),
            redis: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Names their Redis, where the program uses several. The first name stays.
    #[must_use]
    pub fn in_redis(self, name: &str) -> Self {
        self.inner.redis.get_or_init(|| name.to_owned());
        self
    }

    /// Sets how often they are read from now on; at once where it was less often before. Default
    /// [`Pace::Watched`].
    pub fn set_pace(&self, pace: Pace) {
        self.inner.pace.send_if_modified(|now| std::mem::replace(now, pace) != pace);
    }

    pub(super) fn observer(&self) -> &Node {
        &self.inner.observer
    }

    /// Those whose numbers count: they are up or late.
    pub(super) fn counted(&self) -> Vec<Arc<RemoteNode>> {
        let known = self.known();
        known.nodes.iter().filter(|node| node.counts()).cloned().collect()
    }

    /// What those said last that are lost.
    pub(crate) fn lost(&self) -> Vec<SharedReport> {
        let known = self.known();
        let lost = known.nodes.iter().filter(|node| node.is(PresenceState::Lost));
        lost.filter_map(|node| node.last_report()).collect()
    }

    /// Those that may have a cache and are in no sum: they are lost, or nothing they reported could
    /// be read.
    pub(super) fn silent_with(&self, cache: &str) -> Vec<Arc<RemoteNode>> {
        let known = self.known();
        known.nodes.iter().filter(|node| node.is_silent_with(cache)).cloned().collect()
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<RemoteNode>> {
        self.known().get(id).cloned()
    }

    /// All that are known, and how much of them is heard.
    pub(crate) fn tick(&self) -> FleetTick {
        let known = self.known();
        let silent = known.heard_at.unwrap_or(self.inner.started).elapsed();
        let is_unheard = silent >= known.pace.interval() + UNHEARD_AFTER;
        let unheard_ms = is_unheard.then(|| in_ms(silent));
        let nodes = &known.nodes;
        let presences: Vec<_> =
            nodes.iter().map(|node| Arc::clone(node.shared_presence())).collect();
        let count =
            |holds: fn(&RemoteNode) -> bool| nodes.iter().filter(|node| holds(node)).count() as u64;
        let sums = FleetSums {
            counted: count(RemoteNode::is_summed),
            of: count(RemoteNode::counts) + count(|node| node.is(PresenceState::Lost)),
            late: count(|node| node.is_summed() && node.is(PresenceState::Late)),
            unheard_ms,
            was_heard: known.heard_at.is_some(),
        };
        let namespace = self.inner.client.namespace().to_owned();
        FleetTick { presences, sums, namespace, redis: self.inner.redis.get().cloned() }
    }

    /// Reads the nodes' reports again and again, for ever.
    pub(crate) async fn watch(self) {
        let mut paces = self.inner.pace.subscribe();
        let mut told = None;
        loop {
            let began = Instant::now();
            let pace = *paces.borrow_and_update();
            if told.replace(pace) != Some(pace) {
                self.inner.client.report_every(pace.interval()).await;
            }
            self.read().await;
            self.inner.reads.send_modify(|reads| *reads += 1);
            // Sooner where somebody waits, and where it goes on at another pace.
            let sooner = async {
                tokio::select! {
                    () = self.until_waited_for() => {}
                    _ = paces.changed() => {}
                }
            };
            let _: Result<_, _> = timeout_at(began + pace.interval(), sooner).await;
        }
    }

    async fn until_waited_for(&self) {
        while self.inner.n_waiting.load(Ordering::Acquire) == 0 {
            self.inner.waiting_begun.notified().await;
        }
        sleep(READ_AGAIN).await;
    }

    async fn read(&self) {
        let pace = *self.inner.pace.borrow();
        // Where Redis is away, what was last heard stays.
        let Ok(Ok(view)) = timeout(POLL_WITHIN, self.inner.client.poll()).await else { return };
        let ways = (&self.inner.observer, &self.inner.client);
        let remote = |node: &FleetNode| Arc::new(RemoteNode::new(ways, node));
        let nodes = view.nodes.iter().map(remote).collect();
        *self.known() = Known { heard_at: Some(Instant::now()), pace, nodes };
    }

    /// Has some of these nodes tell what happens to a key, which somebody looks at.
    pub(crate) fn watch_key(&self, key: (&str, &str), nodes: &[String]) {
        self.inner.client.watch_key(key, nodes, LOOKED_AT_FOR);
    }

    /// The number of the last message on the bus.
    pub(crate) async fn bus_sequence(&self) -> Option<u64> {
        self.inner.observer.bus_sequence().await
    }

    /// Which nodes have acted on every message of the bus up to `sequence`, once all have or
    /// `patience` is over; by the newest of their reports.
    pub(crate) async fn have_acted_on(
        &self,
        (sequence, nodes): (u64, &[String]),
        patience: Duration,
    ) -> Vec<String> {
        let deadline = Instant::now() + patience;
        let mut reads = self.inner.reads.subscribe();
        let _waits = WaitingGuard::begin(&self.inner);
        loop {
            let acted: Vec<_> = {
                let known = self.known();
                let has = |id: &&String| known.get(id).is_some_and(|at| at.acted_on() >= sequence);
                nodes.iter().filter(has).cloned().collect()
            };
            if acted.len() == nodes.len() || timeout_at(deadline, reads.changed()).await.is_err() {
                return acted;
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn get(&self, id: &str) -> Option<&Arc<RemoteNode>> {
        let at = self.nodes.binary_search_by(|node| node.id().cmp(id)).ok()?;
        self.nodes.get(at)
    }
}

/// While it lives, somebody waits for what reports show.
struct WaitingGuard<'a>(&'a Inner);

impl<'a> WaitingGuard<'a> {
    fn begin(inner: &'a Inner) -> Self {
        inner.n_waiting.fetch_add(1, Ordering::AcqRel);
        inner.waiting_begun.notify_one();
        Self(inner)
    }
}

impl Drop for WaitingGuard<'_> {
    fn drop(&mut self) {
        self.0.n_waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

pub(super) fn presence_of(node: &FleetNode) -> NodePresence {
    let card = node.card.as_deref().cloned().unwrap_or_default();
    let report = node.report.as_ref();
    let run = report.map(|report| report.run.clone()).filter(|run| !run.is_empty());
    NodePresence {
        node: node.id.clone(),
        state: node.state,
        heard_ms_ago: node.heard_ms_ago,
        run: run.unwrap_or(card.run),
        app: card.app,
        version: card.version,
        strata: card.strata,
        environment: card.environment,
        host: card.host,
        pid: card.pid,
        labels: card.labels,
        policy: card.policy,
        signed: card.signed,
        is_two_processes: node.is_two_processes,
        unreadable: node.unreadable.as_ref().map(ToString::to_string),
        cut: report.map_or(0, |report| report.cut),
    }
}
