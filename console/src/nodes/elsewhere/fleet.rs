//! The nodes of a namespace, wherever they run, as their reports in Redis show them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use strata_cache::{AskError, FleetClient, FleetNode, Node};
use strata_report::{FleetSums, NodePresence, PresenceState};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::fleet_tick::FleetTick;
use super::known::Known;
use super::pace::Pace;
use super::remote::RemoteNode;
use crate::nodes::client::NodeClient;
use crate::nodes::shared_report::SharedReport;

/// One read takes no longer, or Redis counts as away.
const POLL_WITHIN: Duration = Duration::from_secs(3);

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
    known: Mutex<Known>,
    pace: watch::Sender<Pace>,
    /// The name of their Redis among several.
    redis: OnceLock<String>,
    /// How often they were read. Whoever waits for what reports show waits for the next read.
    reads: watch::Sender<u64>,
    n_waiting: AtomicUsize,
    waiting_begun: Notify,
}

impl RemoteNodes {
    /// The nodes that `client` sees. `observer` is the node that it was made of, which only looks
    /// on; both end with the last clone.
    pub fn new(observer: Node, client: FleetClient) -> Self {
        let inner = Inner {
            observer,
            client,
            known: Mutex::new(Known::nothing(Pace::default())),
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

    /// How often they are read.
    pub fn pace(&self) -> Pace {
        *self.inner.pace.borrow()
    }

    /// How many are known.
    pub fn n_known(&self) -> usize {
        self.known().nodes.len()
    }

    /// Reads them once a second from now on, if they were not read at all.
    pub fn wake(&self) {
        self.known().wake(Pace::Watched);
        self.set_pace(Pace::Watched);
    }

    /// Since when they are read, or when they were read last.
    pub fn read_since(&self) -> Instant {
        self.known().since
    }

    /// How many there are, by one short question to Redis; none of them is read for it.
    ///
    /// # Errors
    /// Where Redis is away or refuses.
    pub async fn count(&self) -> Result<u64, AskError> {
        self.inner.client.n_listed().await
    }

    /// Says to the nodes that nobody watches any more.
    pub async fn close(&self) {
        self.inner.client.clone().close().await;
    }

    pub(in crate::nodes) fn observer(&self) -> &Node {
        &self.inner.observer
    }

    /// Those whose numbers count: they are up or late.
    pub(in crate::nodes) fn counted(&self) -> Vec<Arc<RemoteNode>> {
        let known = self.known();
        known.nodes.iter().filter(|node| node.counts()).cloned().collect()
    }

    /// What those said last that are lost.
    pub(crate) fn lost(&self) -> Vec<SharedReport> {
        let known = self.known();
        let lost = known.nodes.iter().filter(|node| node.is(PresenceState::Lost));
        lost.filter_map(|node| node.last_report()).collect()
    }

    /// What all said last, whatever has become of them.
    pub(in crate::nodes) fn last_reports(&self) -> Vec<SharedReport> {
        self.known().nodes.iter().filter_map(|node| node.last_report()).collect()
    }

    /// Those that have a cache, by what they said last.
    pub(in crate::nodes) fn known_with(&self, cache: &str) -> Vec<Arc<RemoteNode>> {
        let has_it = |node: &&Arc<RemoteNode>| {
            let last = node.last_report();
            last.is_some_and(|last| last.caches.iter().any(|held| held.cache == cache))
        };
        self.known().nodes.iter().filter(has_it).cloned().collect()
    }

    /// Those that may have a cache and are in no sum: they are lost, or nothing they reported could
    /// be read.
    pub(in crate::nodes) fn silent_with(&self, cache: &str) -> Vec<Arc<RemoteNode>> {
        let known = self.known();
        known.nodes.iter().filter(|node| node.is_silent_with(cache)).cloned().collect()
    }

    pub(in crate::nodes) fn get(&self, id: &str) -> Option<Arc<RemoteNode>> {
        self.known().get(id).cloned()
    }

    /// Where Redis cannot be reached: since it was heard last, milliseconds.
    pub(in crate::nodes) fn unheard_ms(&self) -> Option<u64> {
        self.known().unheard_ms()
    }

    pub(crate) fn is_known(&self, id: &str) -> bool {
        self.known().get(id).is_some()
    }

    /// What is known of a node.
    pub(in crate::nodes) fn presence(&self, id: &str) -> Option<Arc<NodePresence>> {
        self.known().get(id).map(|node| Arc::clone(node.shared_presence()))
    }

    /// All that are known but those that are left out, and how much of them is heard.
    pub(in crate::nodes) fn tick_without(&self, is_left_out: impl Fn(&str) -> bool) -> FleetTick {
        let known = self.known();
        let nodes: Vec<_> = known.nodes.iter().filter(|node| !is_left_out(node.id())).collect();
        let presences = nodes.iter().map(|node| Arc::clone(node.shared_presence())).collect();
        let count =
            |holds: fn(&RemoteNode) -> bool| nodes.iter().filter(|node| holds(node)).count() as u64;
        let sums = FleetSums {
            counted: count(RemoteNode::is_summed),
            of: count(RemoteNode::counts) + count(|node| node.is(PresenceState::Lost)),
            late: count(|node| node.is_summed() && node.is(PresenceState::Late)),
            unheard_ms: known.unheard_ms(),
            was_heard: known.heard_at.is_some(),
            is_unread: known.heard_at.is_none() && known.unheard_ms().is_none(),
        };
        let because = sums.unheard_ms.and_then(|_| self.inner.observer.report().l2.last_error);
        FleetTick {
            because: because.map(|error| format!("{}: {}", error.code, error.message)),
            presences,
            sums,
            namespace: self.inner.client.namespace().to_owned(),
            redis: self.inner.redis.get().cloned(),
            is_asleep: known.pace == Pace::Asleep,
            ..FleetTick::default()
        }
    }

    /// Reads the nodes' reports again and again, for ever.
    pub(crate) async fn watch(self) {
        let mut paces = self.inner.pace.subscribe();
        let mut told = None;
        loop {
            let began = Instant::now();
            let pace = *paces.borrow_and_update();
            if told.replace(pace) != Some(pace) {
                self.begin(pace).await;
            }
            let Some(interval) = pace.interval() else {
                // It ends only with the last clone of this.
                let _: Result<_, _> = paces.changed().await;
                continue;
            };
            self.read().await;
            self.inner.reads.send_modify(|reads| *reads += 1);
            // Sooner where somebody waits, and where it goes on at another pace.
            let sooner = async {
                tokio::select! {
                    () = self.until_waited_for() => {}
                    _ = paces.changed() => {}
                }
            };
            let _: Result<_, _> = timeout_at(began + interval, sooner).await;
        }
    }

    /// Goes on at another pace.
    async fn begin(&self, pace: Pace) {
        match pace.interval() {
            Some(interval) => {
                self.known().wake(pace);
                self.inner.client.report_every(interval).await;
            }
            None => {
                *self.known() = Known::nothing(pace);
                self.inner.client.rest().await;
            }
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
        let now = Instant::now();
        *self.known() = Known { heard_at: Some(now), since: now, pace, nodes };
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
