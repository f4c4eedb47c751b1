//! The state that all clones of a cache share on one node.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use strata_report::{CacheReport, TagsReport};

use super::fence::Fence;
use super::load::{Flight, LoadLimit};
use super::policy::Policy;
use crate::clock::Moment;
use crate::key::{Key, Value};
use crate::l1::{Capacity, Entry, L1, Tags, WaitingPatterns};
use crate::l2::Keyspace;
use crate::log::LogLimits;
use crate::node::Node;
use crate::recorder::{Grouping, Label, Lifetimes, Recorder, RecorderSettings};

/// A miss costs far more than an occasional look at its key.
const MISSES_SAMPLED_ONE_IN: u32 = 8;

/// One cache on one node: the state that all its clones share.
pub(crate) struct Core<K, V> {
    pub(crate) name: String,
    pub(crate) policy: Policy,
    pub(crate) node: Node,
    pub(crate) l1: L1<K, V>,
    pub(crate) l2: Option<Keyspace>,
    pub(crate) fence: Fence<K, Flight<V>>,
    pub(crate) loads: LoadLimit,
    pub(crate) tags: Tags,
    pub(crate) patterns: WaitingPatterns,
    /// Entries of epochs older than this have been removed from L1.
    pub(crate) reclaimed: AtomicU64,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) grouping: Grouping<K>,
    pub(crate) log: LogLimits,
    /// How many values were encoded, which decides which of them are verified.
    #[cfg(debug_assertions)]
    pub(crate) n_encoded: AtomicU64,
}

impl<K: Key, V: Value> Core<K, V> {
    pub(crate) fn new(
        name: String,
        (capacity, grouping): (Capacity<K, V>, Grouping<K>),
        policy: Policy,
        node: Node,
    ) -> Arc<Self> {
        let lifetimes = Lifetimes {
            time_to_live: Some(policy.time_to_live),
            time_to_idle: policy.time_to_idle,
        };
        let bounds = RecorderSettings {
            capacity: capacity.max(),
            lifetimes,
            misses_sampled_one_in: MISSES_SAMPLED_ONE_IN,
        };
        let recorder = Arc::new(Recorder::new(policy.recording, &grouping, bounds));
        let l2 = policy.l2_time_to_live.and_then(|_| node.shared().keyspace(&name, policy.schema));
        Arc::new(Self {
            l1: L1::new(capacity, policy.time_to_idle, Arc::clone(&recorder)),
            fence: Fence::new(),
            loads: LoadLimit::new(policy.max_loads),
            tags: Tags::default(),
            patterns: WaitingPatterns::default(),
            reclaimed: AtomicU64::new(0),
            name,
            policy,
            node,
            l2,
            recorder,
            grouping,
            log: LogLimits::default(),
            #[cfg(debug_assertions)]
            n_encoded: AtomicU64::new(0),
        })
    }

    /// Whether L2 may be read. While the bus is silent, L2 may hold entries that should have been
    /// removed, written by this node or by others.
    pub(crate) fn trusts_l2(&self) -> bool {
        self.node.shared().bus_reader().trust().holds(Moment::now())
    }

    /// Redis's clock, which all deadlines of entries in L2 use.
    pub(crate) fn redis_now_ms(&self) -> u64 {
        self.node.shared().bus().clock().now_ms()
    }

    pub(crate) fn label(&self, key: &K) -> Label {
        self.recorder.label(&self.grouping, key)
    }

    /// Whether L1 holds an entry of a newer row than this version, fresh or not; 0 is no version.
    /// Invalidated entries do not count, since the row may have been deleted and made anew.
    pub(crate) fn knows_newer(&self, key: &K, version: u64) -> bool {
        let is_newer = |there: Entry<V>| {
            there.version > version
                && !self.is_overtaken(key, &there)
                && there.tags.as_ref().is_none_or(|tags| tags.holds())
        };
        version > 0 && self.l1.get_if_present(key).is_some_and(is_newer)
    }

    /// Puts an entry into L1 unless it has no lifetime there, or L1 has one of a newer row. Call it
    /// only under the fence.
    pub(crate) fn put_l1(&self, key: &K, entry: &Entry<V>) {
        if self.knows_newer(key, entry.version) {
            self.recorder.l1_fenced.add(1);
            return;
        }
        if entry.kept_until <= entry.filled_at {
            self.l1.remove(key);
            return;
        }
        self.l1.insert(key.clone(), entry.clone());
        self.recorder.l1_put(entry.label, entry.weight);
        if let Some(what) = entry.what_filled_it() {
            self.recorder.note(key, what);
        }
    }

    pub(crate) fn numbers(&self) -> CacheReport {
        let (known, forgotten) = self.tags.known_and_forgotten();
        let in_redis = self.l2.as_ref().map(|l2| l2.tag_counts.known_and_forgotten());
        let (l2_known, l2_forgotten) = in_redis.unwrap_or_default();
        let tags = TagsReport { known, forgotten, l2_known, l2_forgotten };
        let mut report = self.recorder.report(&self.name, self.l1.size(), self.policy.settings());
        (report.loads.queued, report.loads.refused) = (self.loads.queued(), self.loads.refused());
        CacheReport { tags, ..report }
    }
}
