use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use strata_report::{CacheReport, TagsReport};

use crate::builder::Policy;
use crate::bus::COUNTS_FOR;
use crate::clock::Moment;
use crate::fence::Fence;
use crate::flight::Flight;
use crate::l1::{Capacity, Entry, Kept, L1};
use crate::l2::Keyspace;
use crate::load_limit::LoadLimit;
use crate::log_limit::LogLimits;
use crate::recorder::{Bounds, Grouping, Label, Lives, Recorder};
use crate::tags::Tags;
use crate::ticket::Ticket;
use crate::waiting_patterns::WaitingPatterns;
use crate::{Key, Loaded, Node, Value, clock};

/// A miss costs far more than to look at its key now and then.
const MISSES_SAMPLED_ONE_IN: u32 = 8;

/// One cache on one node: what all its clones share.
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
    /// Entries of older epochs than this have left L1.
    pub(crate) reclaimed: AtomicU64,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) grouping: Grouping<K>,
    pub(crate) log: LogLimits,
    /// How many values were written since the last that was read back.
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
        let lives =
            Lives { time_to_live: Some(policy.time_to_live), time_to_idle: policy.time_to_idle };
        let bounds = Bounds {
            capacity: capacity.max(),
            lives,
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

    /// What an entry is good for.
    pub(crate) fn standing(&self, key: &K, entry: &Entry<V>, now: Moment) -> Standing {
        let has_stale_tag = || entry.tags.as_ref().is_some_and(|tags| !tags.holds());
        if self.is_overtaken(key, entry) || has_stale_tag() {
            return Standing::Dead;
        }
        if now < entry.fresh_until {
            match self.is_trusted(entry, now) {
                true => return Standing::Fresh,
                false if self.policy.grace.is_zero() => return Standing::Dead,
                false => {}
            }
        }
        match entry.retry_at {
            _ if now >= entry.kept_until => Standing::Dead,
            _ if entry.soft && !self.is_trusted(entry, now) => Standing::Dead,
            Some(at) if now < at => Standing::Failing,
            _ if entry.soft => Standing::Soft,
            _ => Standing::Stale,
        }
    }

    /// Whether its cache was emptied or a pattern that matches it invalidated since its fill began.
    pub(crate) fn is_overtaken(&self, key: &K, entry: &Entry<V>) -> bool {
        // In this order: where the cache is emptied, the epoch is raised before patterns are forgotten.
        self.patterns.overtake(key, entry.tick) || entry.epoch != self.fence.epoch()
    }

    /// While the bus is silent an entry counts for a short time after its fill only.
    fn is_trusted(&self, entry: &Entry<V>, now: Moment) -> bool {
        self.l2.is_none()
            || self.node.shared().tail().trust().holds(now)
            || now.since(entry.filled_at) < COUNTS_FOR
    }

    /// Whether L2 may be read. While the bus is silent it may hold what should be gone, and so may
    /// whoever fills it.
    pub(crate) fn trusts_l2(&self) -> bool {
        self.node.shared().tail().trust().holds(Moment::now())
    }

    /// By Redis's clock, which is that of every entry's deadlines in L2.
    pub(crate) fn redis_now_ms(&self) -> u64 {
        self.node.shared().bus().clock().now_ms()
    }

    pub(crate) fn label(&self, key: &K) -> Label {
        self.recorder.label(&self.grouping, key)
    }

    pub(crate) fn is_fresh(&self, key: &K, entry: &Entry<V>) -> bool {
        self.standing(key, entry, Moment::now()) == Standing::Fresh
    }

    /// Whether a fresh entry should be refreshed before it expires: XFetch, which grows likelier
    /// as the deadline nears and with what the load costs (Vattani, Chierichetti, Lowenstein,
    /// "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015).
    pub(crate) fn refresh_is_due(&self, entry: &Entry<V>, now: Moment) -> bool {
        let beta = self.policy.refresh_ahead;
        if beta <= 0.0 {
            return false;
        }
        // In plain numbers, since each hit pays for it.
        let left_us = entry.fresh_until.micros_since(now) as f64;
        let scale_us = f64::from(entry.load_us) * beta;
        // Beyond 20 times the scale the chance is below 1 in 10^8: not worth a logarithm.
        left_us < scale_us * 20.0
            && entry.retry_at.is_none_or(|at| now >= at)
            && scale_us * -rand::random::<f64>().max(f64::MIN_POSITIVE).ln() >= left_us
    }

    /// An entry for L1, fresh for as long as its time to live and its life in L2 both allow.
    pub(crate) fn entry(&self, ticket: &Ticket<K>, value: Option<Arc<V>>, life: &Life) -> Entry<V> {
        let (time_to_live, grace) = match value {
            Some(_) => {
                let jittered = clock::jittered(self.policy.time_to_live, self.policy.jitter);
                (jittered, self.policy.grace)
            }
            None => (self.policy.negative_time_to_live, Duration::ZERO),
        };
        let filled_at = Moment::now();
        let fresh_until = if life.fresh_for.is_zero() {
            filled_at.before(life.stale_for)
        } else {
            filled_at.after(life.fresh_for.min(time_to_live))
        };
        Entry {
            weight: value.as_ref().map_or(1, |value| self.l1.weigh(&ticket.key, value)),
            value: Kept::new(value),
            loaded_at: filled_at.before(life.age),
            filled_at,
            fresh_until,
            kept_until: fresh_until.after(grace),
            retry_at: None,
            soft: life.soft,
            epoch: ticket.token.epoch(),
            tick: ticket.token.tick(),
            load_us: life.load_us,
            version: life.version,
            tags: self.tags.tagged(&life.tags, ticket.token.tick()),
            label: ticket.label,
        }
    }

    /// How long what was just loaded stays fresh in L2; `None` was not found.
    pub(crate) fn l2_fresh_for<W>(&self, loaded: Option<&Loaded<W>>) -> Duration {
        let is_kept = self.l2.is_some() && self.policy.is_kept_in_l2();
        let l2_time_to_live = self.policy.l2_time_to_live.filter(|_| is_kept);
        let l2_time_to_live = l2_time_to_live.unwrap_or(clock::MAX_TIME_TO_LIVE);
        match loaded {
            Some(Loaded { time_to_live: Some(own), .. }) => (*own).min(clock::MAX_TIME_TO_LIVE),
            Some(_) => clock::jittered(l2_time_to_live, self.policy.jitter),
            None => self.policy.negative_time_to_live.min(l2_time_to_live),
        }
    }

    /// Whether L1 holds an entry of a newer row than this version, fresh or not; 0 is none. What
    /// was invalidated does not count: the row may have been deleted and made anew.
    pub(crate) fn knows_newer(&self, key: &K, version: u64) -> bool {
        let is_newer = |there: Entry<V>| {
            there.version > version
                && !self.is_overtaken(key, &there)
                && there.tags.as_ref().is_none_or(|tags| tags.holds())
        };
        version > 0 && self.l1.get_if_present(key).is_some_and(is_newer)
    }

    /// Puts an entry into L1 unless it could not live there, or one of a newer row does. Only under
    /// the fence.
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

/// What an entry in L1 is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// A hit.
    Fresh,
    /// Served stale while one refresh runs.
    Soft,
    /// Served stale without asking the source, which has just failed.
    Failing,
    /// Stands in where the source fails or is slow.
    Stale,
    /// Nothing.
    Dead,
}

/// What is known of a value besides itself.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    /// Since it was loaded from the source.
    pub(crate) age: Duration,
    /// How long L2 or the source lets it count as fresh.
    pub(crate) fresh_for: Duration,
    /// Since when it does not, where it no longer does.
    pub(crate) stale_for: Duration,
    pub(crate) soft: bool,
    pub(crate) load_us: u32,
    pub(crate) version: u64,
    pub(crate) tags: Vec<Arc<str>>,
}

impl Life {
    /// Fresh from the source; `None` was not found.
    pub(crate) fn of<V>(loaded: Option<&Loaded<V>>, fresh_for: Duration, took: Duration) -> Self {
        Self {
            age: Duration::ZERO,
            fresh_for,
            stale_for: Duration::ZERO,
            soft: false,
            load_us: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
            version: loaded.map_or(0, |loaded| loaded.version),
            tags: loaded.map_or_else(Vec::new, |loaded| loaded.tags.clone()),
        }
    }
}
