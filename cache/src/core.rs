use std::sync::Arc;
use std::time::Duration;

use strata_report::{CacheReport, Gets, L1Report, Outcome};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::builder::Policy;
use crate::fence::{Fence, Token};
use crate::l1::{Capacity, Entry, L1};
use crate::l2::Keyspace;
use crate::recorder::{L1_SAMPLED_ONE_IN, Recorder};
use crate::{Key, LoadError, Node, Value, clock};

/// One cache on one node: what all its clones share.
pub(crate) struct Core<K, V> {
    pub(crate) name: String,
    pub(crate) policy: Policy,
    pub(crate) node: Node,
    pub(crate) l1: L1<K, V>,
    pub(crate) l2: Option<Keyspace>,
    pub(crate) fence: Fence<K, Flight<V>>,
    pub(crate) recorder: Arc<Recorder>,
}

/// How a flight ended: the entry and the outcome of the read that led it.
pub(crate) type Landing<V> = Result<(Entry<V>, Outcome), LoadError>;

/// What those who join a flight wait on.
pub(crate) type Flight<V> = watch::Receiver<Option<Landing<V>>>;

impl<K: Key, V: Value> Core<K, V> {
    pub(crate) fn new(
        name: String,
        capacity: Capacity<K, V>,
        policy: Policy,
        node: Node,
    ) -> Arc<Self> {
        let recorder = Arc::new(Recorder::default());
        let l2 = policy.l2_time_to_live.and_then(|_| node.shared().keyspace(&name));
        Arc::new(Self {
            l1: L1::new(capacity, policy.time_to_idle, Arc::clone(&recorder)),
            fence: Fence::new(),
            name,
            policy,
            node,
            l2,
            recorder,
        })
    }

    /// Whether a read may be answered with this entry now.
    pub(crate) fn is_fresh(&self, entry: &Entry<V>) -> bool {
        if entry.epoch != self.fence.epoch() {
            return false;
        }
        let now = Instant::now();
        let trusted = match self.l2.as_ref().and_then(|_| self.node.shared().trusted_for_ms()) {
            None => true,
            Some(ms) => now < entry.filled_at + Duration::from_millis(ms),
        };
        trusted && entry.expires_at.is_none_or(|at| now < at)
    }

    /// An entry for L1 that lives for what its time to live and L2 leave it.
    pub(crate) fn entry(
        &self,
        key: &K,
        value: Option<Arc<V>>,
        token: Token,
        life: Life,
    ) -> Entry<V> {
        let time_to_live = match value {
            Some(_) => clock::jittered(self.policy.time_to_live, self.policy.jitter),
            None => self.policy.negative_time_to_live,
        };
        let filled_at = Instant::now();
        Entry {
            weight: value.as_ref().map_or(1, |value| self.l1.weigh(key, value)),
            value,
            loaded_at: filled_at.checked_sub(life.age).unwrap_or(filled_at),
            filled_at,
            expires_at: Some(
                filled_at + life.left.map_or(time_to_live, |left| left.min(time_to_live)),
            ),
            epoch: token.epoch(),
        }
    }

    /// How long a fresh entry shall live in L2.
    pub(crate) fn l2_life(&self, value: Option<&Arc<V>>) -> Duration {
        let l2_time_to_live = self.policy.l2_time_to_live.unwrap_or_default();
        match value {
            Some(_) => clock::jittered(l2_time_to_live, self.policy.jitter),
            None => self.policy.negative_time_to_live.min(l2_time_to_live),
        }
    }

    /// Puts an entry into L1 unless it could not live there. Only under the fence.
    pub(crate) fn put_l1(&self, key: &K, entry: &Entry<V>) {
        if entry.expires_at.is_some_and(|at| at <= entry.filled_at) {
            self.l1.remove(key);
            return;
        }
        self.l1.insert(key.clone(), entry.clone());
        self.recorder.l1_puts.add(1);
    }

    pub(crate) fn numbers(&self) -> CacheReport {
        self.l1.upkeep();
        let recorder = &self.recorder;
        let outcomes = recorder.outcomes();
        let (entries_max, weight_max_bytes) = match self.l1.capacity() {
            Capacity::Entries(max) => (Some(*max), None),
            Capacity::Weight { max_bytes, .. } => (None, Some(*max_bytes)),
        };
        // Every read but a bypassed one asks L1 exactly once, so its gets need no counters.
        let missed = outcomes.reads() - outcomes.l1_hit - outcomes.bypassed;
        CacheReport {
            cache: self.name.clone(),
            outcomes,
            l1: L1Report {
                entries: self.l1.entry_count(),
                entries_max,
                weight_bytes: weight_max_bytes.map(|_| self.l1.weighted_size()),
                weight_max_bytes,
                gets: Gets {
                    hit: outcomes.l1_hit,
                    miss: missed,
                    latency: recorder.l1_latency.read(),
                    sampled_one_in: L1_SAMPLED_ONE_IN,
                },
                puts: recorder.l1_puts.get(),
                fenced: recorder.l1_fenced.get(),
                evictions: recorder.evictions(),
            },
            l2_gets: recorder.l2.read(1),
            l2_puts: recorder.l2_puts.get(),
            l2_refused: recorder.l2_refused.get(),
            l2_unreadable: recorder.l2_unreadable.get(),
            loads: recorder.loads(),
            invalidations: recorder.invalidations(),
            settings: self.policy.settings(),
        }
    }
}

/// How old a value is, and how long it has left in L2; `None` is not bounded by L2.
#[derive(Clone, Copy)]
pub(crate) struct Life {
    pub(crate) age: Duration,
    pub(crate) left: Option<Duration>,
}
