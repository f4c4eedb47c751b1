//! The nodes of a namespace, wherever they run, as their reports in Redis show them.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use strata_cache::{FleetClient, FleetNode, FleetView, Node};
use strata_report::{FleetSums, NodePresence, NodeReport, PresenceState};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::client::NodeClient;
use super::remote::RemoteNode;
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

/// Whoever waits for what a report shows reads no more often.
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
}

#[derive(Default)]
struct Known {
    view: FleetView,
    heard_at: Option<Instant>,
    /// By which the next read was due then.
    pace: Pace,
    nodes: Vec<Arc<RemoteNode>>,
}

/// Nodes elsewhere at one tick.
#[derive(Clone, Debug, Default)]
pub(crate) struct FleetTick {
    pub(crate) presences: Vec<NodePresence>,
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
        self.presences.iter().find(|presence| presence.node == node)
    }
}

impl RemoteNodes {
    /// The nodes that `client` sees. `observer` is the node that it was made of, which only looks
    /// on; both end with the last clone.
    pub fn new(observer: Node, client: FleetClient) -> Self {
        let (known, pace, redis) = (Mutex::default(), watch::Sender::default(), OnceLock::new());
        let started = Instant::now();
        Self { inner: Arc::new(Inner { observer, client, started, known, pace, redis }) }
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
    pub(super) fn lost(&self) -> Vec<NodeReport> {
        let known = self.known();
        let lost = known.view.nodes.iter().filter(|node| node.state == PresenceState::Lost);
        lost.filter_map(report_of).collect()
    }

    /// Those that may have a cache and are in no sum: they are lost, or nothing they reported could
    /// be read.
    pub(super) fn silent_with(&self, cache: &str) -> Vec<Arc<RemoteNode>> {
        let known = self.known();
        known.nodes.iter().filter(|node| node.is_silent_with(cache)).cloned().collect()
    }

    pub(super) fn get(&self, id: &str) -> Option<Arc<RemoteNode>> {
        self.known().nodes.iter().find(|node| node.id() == id).cloned()
    }

    /// All that are known, and how much of them is heard.
    pub(crate) fn tick(&self) -> FleetTick {
        let known = self.known();
        let silent = known.heard_at.unwrap_or(self.inner.started).elapsed();
        let is_unheard = silent >= known.pace.interval() + UNHEARD_AFTER;
        let unheard_ms = is_unheard.then(|| in_ms(silent));
        let presences: Vec<_> = known.view.nodes.iter().map(presence_of).collect();
        let count = |holds: fn(&FleetNode) -> bool| {
            known.view.nodes.iter().filter(|node| holds(node)).count() as u64
        };
        let is_lost = |node: &FleetNode| node.state == PresenceState::Lost;
        let sums = FleetSums {
            counted: count(is_summed),
            of: count(|node| node.state.counts()) + count(is_lost),
            late: count(|node| is_summed(node) && node.state == PresenceState::Late),
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
            // Either way it is time: for the next read, or for one at another pace.
            let _: Result<_, _> = timeout_at(began + pace.interval(), paces.changed()).await;
        }
    }

    async fn read(&self) {
        let pace = *self.inner.pace.borrow();
        // Where Redis is away, what was last heard stays.
        let Ok(Ok(view)) = timeout(POLL_WITHIN, self.inner.client.poll()).await else { return };
        let ways = (&self.inner.observer, &self.inner.client);
        let remote = |node: &FleetNode| Arc::new(RemoteNode::new(ways, node));
        let nodes = view.nodes.iter().map(remote).collect();
        *self.known() = Known { view, heard_at: Some(Instant::now()), pace, nodes };
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
        loop {
            let acted: Vec<_> = {
                let known = self.known();
                let has = |id: &&String| {
                    let node = known.nodes.iter().find(|node| node.id() == **id);
                    node.is_some_and(|node| node.acted_on() >= sequence)
                };
                nodes.iter().filter(has).cloned().collect()
            };
            if acted.len() == nodes.len() || Instant::now() >= deadline {
                return acted;
            }
            tokio::time::sleep(READ_AGAIN).await;
            self.read().await;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.inner.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether its numbers are in the sums.
fn is_summed(node: &FleetNode) -> bool {
    node.state.counts() && node.report.is_some()
}

/// The report of a node elsewhere, with the run that it is of.
pub(super) fn report_of(node: &FleetNode) -> Option<NodeReport> {
    let fleet = node.report.as_ref()?;
    let mut report = fleet.report.clone();
    // The id of the beat counts, whatever the report calls itself.
    node.id.clone_into(&mut report.node);
    fleet.run.clone_into(&mut report.run);
    Some(report)
}

pub(super) fn presence_of(node: &FleetNode) -> NodePresence {
    let card = node.card.clone().unwrap_or_default();
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
