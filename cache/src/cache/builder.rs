use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use super::handle::Cache;
use crate::clock::MAX_TIME_TO_LIVE;
use crate::codec::{Codec, Form};
use crate::error::BuildError;
use crate::key::{Key, Value};
use crate::l1::Capacity;
use crate::node::{Node, check_name};
use crate::read::{Core, Policy, ValueVisibility};
use crate::recorder::{GroupOf, Grouping, Recording};

/// Settings of a [`Cache`]. Each has a default, so none is required. All nodes of a namespace
/// should build a cache of one name with the same settings: they share its entries in L2.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::time::Duration;
/// # use strata_cache::{Cache, Node};
/// # let node = Node::builder("shop").start().await?;
/// let pages: Cache<String, String> = Cache::builder("pages")
///     .l1_weight(64 << 20, |key: &String, page: &String| {
///         u32::try_from(key.len() + page.len()).unwrap_or(u32::MAX)
///     })
///     .time_to_live(Duration::from_secs(30))
///     .l2_time_to_live(Duration::from_secs(3600))
///     .schema(2)
///     .group("author:{id}:page:{n}")
///     .build(&node)?;
/// assert_eq!(pages.name(), "pages");
/// # Ok(())
/// # }
/// ```
pub struct CacheBuilder<K, V> {
    name: String,
    capacity: Capacity<K, V>,
    policy: Policy,
    templates: Vec<String>,
    group_of: Option<GroupOf<K>>,
    kind: PhantomData<fn(K) -> V>,
}

impl<K: Key, V: Value> Cache<K, V> {
    /// A cache named `name`: 1 to 64 of `a-z`, `0-9`, `_` and `-`.
    pub fn builder(name: &str) -> CacheBuilder<K, V> {
        CacheBuilder::new(name)
    }
}

impl<K: Key, V: Value> CacheBuilder<K, V> {
    /// The greatest number of entries in L1.
    pub const DEFAULT_L1_ENTRIES: u64 = 10_000;
    /// Time to live in L1.
    pub const DEFAULT_TIME_TO_LIVE: Duration = Duration::from_secs(60);
    /// Time to live in L2.
    pub const DEFAULT_L2_TIME_TO_LIVE: Duration = Duration::from_secs(600);
    /// Time to live of a "not found".
    pub const DEFAULT_NEGATIVE_TIME_TO_LIVE: Duration = Duration::from_secs(5);
    /// The share by which deadlines are shortened at random.
    pub const DEFAULT_JITTER: f64 = 0.1;
    /// How long a reader waits for a load.
    pub const DEFAULT_LOAD_TIMEOUT: Duration = Duration::from_secs(5);
    /// How long a load waits for another process that loads the same key: for as long as that
    /// load runs.
    pub const DEFAULT_LEASE_WAIT: Duration = MAX_TIME_TO_LIVE;
    /// How many loads may run at a time on one node.
    pub const DEFAULT_MAX_LOADS: usize = 256;
    /// The greatest size of a value in L2, in bytes.
    pub const DEFAULT_MAX_VALUE_BYTES: usize = 1024 * 1024;
    /// How long a failed source is not asked again while a stale entry stands in.
    pub const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(5);

    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            capacity: Capacity::Entries(Self::DEFAULT_L1_ENTRIES),
            policy: Policy {
                time_to_live: Self::DEFAULT_TIME_TO_LIVE,
                time_to_idle: None,
                l2_time_to_live: Some(Self::DEFAULT_L2_TIME_TO_LIVE),
                negative_time_to_live: Self::DEFAULT_NEGATIVE_TIME_TO_LIVE,
                jitter: Self::DEFAULT_JITTER,
                load_timeout: Self::DEFAULT_LOAD_TIMEOUT,
                lease_wait: Self::DEFAULT_LEASE_WAIT,
                max_loads: Self::DEFAULT_MAX_LOADS,
                schema: 0,
                form: Form {
                    codec: Codec::default(),
                    compress_above: None,
                    max_bytes: Self::DEFAULT_MAX_VALUE_BYTES,
                },
                grace: Duration::ZERO,
                retry_after: Self::DEFAULT_RETRY_AFTER,
                soft_timeout: None,
                refresh_ahead: 0.0,
                recording: Recording::default(),
                visibility: ValueVisibility::default(),
            },
            templates: Vec::new(),
            group_of: None,
            kind: PhantomData,
        }
    }

    /// L1 holds at most this many entries. 0 keeps nothing in L1.
    pub fn l1_entries(mut self, max: u64) -> Self {
        self.capacity = Capacity::Entries(max);
        self
    }

    /// L1 holds at most this many bytes. `weigher` weighs each entry once, when it is filled; an
    /// entry weighs at least 1. moka's own overhead for each entry is not counted. An entry heavier
    /// than the whole limit is not kept. 0 keeps nothing in L1.
    pub fn l1_weight(
        mut self,
        max_bytes: u64,
        weigher: impl Fn(&K, &V) -> u32 + Send + Sync + 'static,
    ) -> Self {
        self.capacity = Capacity::Weight { max_bytes, weigher: Box::new(weigher) };
        self
    }

    /// Time to live in L1. An entry that comes from L2 lives no longer than its remaining time
    /// there. Zero keeps nothing in L1; more than ten years count as ten years.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.policy.time_to_live = time_to_live.min(MAX_TIME_TO_LIVE);
        self
    }

    /// An entry that was not read for this long leaves L1. Zero keeps nothing in L1; more than ten
    /// years count as ten years.
    pub fn time_to_idle(mut self, time_to_idle: Duration) -> Self {
        self.policy.time_to_idle = Some(time_to_idle.min(MAX_TIME_TO_LIVE));
        self
    }

    /// Time to live in L2. Below a millisecond nothing is kept there; more than ten years count as
    /// ten years.
    pub fn l2_time_to_live(mut self, time_to_live: Duration) -> Self {
        self.policy.l2_time_to_live = Some(time_to_live.min(MAX_TIME_TO_LIVE));
        self
    }

    /// Keeps this cache out of L2 and off the bus. Each node then caches for itself.
    pub fn l1_only(mut self) -> Self {
        self.policy.l2_time_to_live = None;
        self
    }

    /// Time to live of a "not found" in both levels. Zero remembers none; more than ten years count
    /// as ten years.
    pub fn negative_time_to_live(mut self, time_to_live: Duration) -> Self {
        self.policy.negative_time_to_live = time_to_live.min(MAX_TIME_TO_LIVE);
        self
    }

    /// Shortens deadlines by a random share up to `share`. Below 0 counts as 0, above 1 as 1, and
    /// infinities and NaN as 0.
    pub fn jitter(mut self, share: f64) -> Self {
        self.policy.jitter = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        self
    }

    /// The longest time that a reader waits for a load. The load itself goes on, and its value is
    /// kept. After twice this time the load is given up. At least a millisecond, or the cache is
    /// not built; more than ten years count as ten years.
    pub fn load_timeout(mut self, timeout: Duration) -> Self {
        self.policy.load_timeout = timeout.min(MAX_TIME_TO_LIVE);
        self
    }

    /// The longest time that a load waits for another process that is loading the same key. Then it
    /// loads as well, and writes nothing to L2. Zero means that it does not wait. By default it
    /// waits for as long as the other load runs. That load is given up after twice the load
    /// timeout, and its lease ends three seconds after its process has died. Readers never wait
    /// longer than the load timeout, or are served a stale entry. A load waits at most half a
    /// second for a write of another process, or for a node of an earlier version. A load that was
    /// begun by another load waits at most half a second for any lease. More than ten years count
    /// as ten years.
    pub fn lease_wait(mut self, wait: Duration) -> Self {
        self.policy.lease_wait = wait.min(MAX_TIME_TO_LIVE);
        self
    }

    /// The greatest number of loads of this cache that run at a time on one node. A load of many
    /// keys counts once. Further loads wait for their turn in order of arrival, for at most the
    /// load timeout. Then their readers get [`LoadError::Busy`](crate::LoadError::Busy), or a stale
    /// entry within its grace. If another process loads the key meanwhile, they get that entry
    /// instead. A load that a load of the same cache began or waits for needs no turn of its own,
    /// and [`bypass`](Cache::bypass) needs none at all. [`build`](Self::build) refuses 0.
    pub fn max_loads(mut self, max: usize) -> Self {
        self.policy.max_loads = max;
        self
    }

    /// Fail-safe: how long after its time to live an entry may stand in when the source fails,
    /// outcome `stale`. Off by default, and at zero; more than ten years count as ten years. A "not
    /// found" never stands in.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.policy.grace = grace.min(MAX_TIME_TO_LIVE);
        self
    }

    /// While a stale entry stands in for a source that failed, the source is asked again no
    /// sooner than this. Zero asks it with each read; more than ten years count as ten years.
    pub fn retry_after(mut self, interval: Duration) -> Self {
        self.policy.retry_after = interval.min(MAX_TIME_TO_LIVE);
        self
    }

    /// The longest time that a reader waits for the source if a stale entry within its grace could
    /// answer it. Never longer than the load timeout; zero means not at all. The load goes on.
    pub fn soft_timeout(mut self, timeout: Duration) -> Self {
        self.policy.soft_timeout = Some(timeout.min(MAX_TIME_TO_LIVE));
        self
    }

    /// Refreshes entries in the background before they expire. A refresh becomes likelier the
    /// nearer the deadline is and the longer the load took (XFetch). 1 is the paper's choice, more
    /// is earlier, and 0 is off, the default. Below 0 counts as 0, above 1 000 as 1 000, and
    /// infinities and NaN as 0.
    pub fn refresh_ahead(mut self, beta: f64) -> Self {
        self.policy.refresh_ahead = if beta.is_finite() { beta.clamp(0.0, 1_000.0) } else { 0.0 };
        self
    }

    /// The version of the value's form; 0 by default. Raise it with each change that the codec
    /// cannot read across. Each version has entries of its own in L2. The old and the new program
    /// therefore both keep hitting during a deploy, and after a rollback. An invalidation by either
    /// removes the entries of all versions. Invalidations look for a version's entries as long as
    /// these may live, and a day longer.
    ///
    /// Nodes of a Strata that knows only one version at a time remove only version 0's entries.
    /// Each node of another version that hears of such an invalidation removes the entries of
    /// its own version before it reads L2 again. If no node of that version runs meanwhile, its
    /// entries stay for their time to live in L2.
    pub fn schema(mut self, version: u16) -> Self {
        self.policy.schema = version;
        self
    }

    /// How L2 stores values; JSON by default.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.policy.form.codec = codec;
        self
    }

    /// Compresses values above this many bytes in L2 with LZ4; off by default. Pays from one or two
    /// kilobytes on. Caches with another threshold, or none, can read such values too.
    pub fn compress_above(mut self, bytes: usize) -> Self {
        self.policy.form.compress_above = Some(bytes);
        self
    }

    /// A value above this many bytes, before compression, is kept in L1 only, and counted as unfit;
    /// more than 4 GiB count as 4 GiB. The same holds for keys above 1 024 bytes.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        // A compressed value stores its length in four bytes.
        self.policy.form.max_bytes = bytes.min(u32::MAX as usize);
        self
    }

    /// Counts keys of this form as a group of their own: `author:{id}`, `{id}:page:{n}`. Each
    /// `{name}` stands for one or more characters other than `:` and `/`. The first matching
    /// template counts; keys that match none are in `other`. At most 64 groups.
    pub fn group(mut self, template: &str) -> Self {
        self.templates.push(template.to_owned());
        self
    }

    /// Counts keys in the groups that `group_of` names, instead of by templates. The first 64 names
    /// are groups; the rest is `other`. It is called when a key is filled or missed, never on a
    /// hit.
    pub fn group_by(mut self, group_of: impl Fn(&K) -> String + Send + Sync + 'static) -> Self {
        self.group_of = Some(Box::new(group_of));
        self
    }

    /// How much this cache records; everything by default.
    pub fn recording(mut self, recording: Recording) -> Self {
        self.policy.recording = recording;
        self
    }

    /// Hides the values of this cache: no page, answer or export of a dashboard contains them.
    /// Keys, times and sizes are shown, and whether copies differ. The program reads its values as
    /// always.
    pub fn opaque(mut self) -> Self {
        self.policy.visibility = ValueVisibility::Opaque;
        self
    }

    /// Shows values on dashboards only after `redact` has changed them, given and taken as JSON.
    /// Called for each look at a key, also for the source's value. A value that is not JSON is
    /// hidden, and so is a value for which `redact` panics. Ignored if the cache is
    /// [`opaque`](Self::opaque).
    pub fn redact(
        mut self,
        redact: impl Fn(&mut serde_json::Value) + Send + Sync + 'static,
    ) -> Self {
        if !matches!(self.policy.visibility, ValueVisibility::Opaque) {
            self.policy.visibility = ValueVisibility::Redacted(Arc::new(redact));
        }
        self
    }

    /// Builds the cache on a node.
    ///
    /// # Errors
    /// If the name is invalid or already used on this node by a cache or by structures, if a
    /// group's template is invalid, or if a setting could not work, which the error names. Redis
    /// being away is not an error.
    pub fn build(self, node: &Node) -> Result<Cache<K, V>, BuildError> {
        check_name(&self.name)?;
        BuildError::unless_a_millisecond("load_timeout", self.policy.load_timeout)?;
        BuildError::unless_some("max_loads", self.policy.max_loads)?;
        let grouping = Grouping::of(&self.templates, self.group_of)?;
        let core = Core::new(self.name, (self.capacity, grouping), self.policy, node.clone());
        node.shared().register(&core)?;
        core.tags.born(node.shared().bus_reader().dispatched());
        Ok(Cache::of(core))
    }
}
