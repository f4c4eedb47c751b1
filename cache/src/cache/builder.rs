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
    /// Entries that L1 holds at most.
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
    /// Loads that run at a time on one node.
    pub const DEFAULT_MAX_LOADS: usize = 256;
    /// Bytes of a value in L2.
    pub const DEFAULT_MAX_VALUE_BYTES: usize = 1024 * 1024;
    /// How long nobody asks a source that has just failed while a stale entry stands in.
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

    /// L1 holds at most so many entries; 0 keeps nothing in L1.
    pub fn l1_entries(mut self, max: u64) -> Self {
        self.capacity = Capacity::Entries(max);
        self
    }

    /// L1 holds at most so many bytes, as weighed by `weigher` once for each fill; each entry weighs
    /// at least 1. What moka adds for each entry is not counted; an entry heavier than the whole is
    /// not kept. 0 keeps nothing in L1.
    pub fn l1_weight(
        mut self,
        max_bytes: u64,
        weigher: impl Fn(&K, &V) -> u32 + Send + Sync + 'static,
    ) -> Self {
        self.capacity = Capacity::Weight { max_bytes, weigher: Box::new(weigher) };
        self
    }

    /// Time to live in L1. An entry that comes from L2 lives no longer than it has left there.
    /// Zero keeps nothing in L1; more than ten years count as ten years.
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.policy.time_to_live = time_to_live.min(MAX_TIME_TO_LIVE);
        self
    }

    /// An entry not read for so long leaves L1. Zero keeps nothing in L1; more than ten years count
    /// as ten years.
    pub fn time_to_idle(mut self, time_to_idle: Duration) -> Self {
        self.policy.time_to_idle = Some(time_to_idle.min(MAX_TIME_TO_LIVE));
        self
    }

    /// Time to live in L2; below a millisecond nothing is kept there, and more than ten years count
    /// as ten years.
    pub fn l2_time_to_live(mut self, time_to_live: Duration) -> Self {
        self.policy.l2_time_to_live = Some(time_to_live.min(MAX_TIME_TO_LIVE));
        self
    }

    /// Keeps this cache out of L2 and off the bus: every node for itself.
    pub fn l1_only(mut self) -> Self {
        self.policy.l2_time_to_live = None;
        self
    }

    /// Time to live of a "not found" in both levels; zero remembers none, and more than ten years
    /// count as ten years.
    pub fn negative_time_to_live(mut self, time_to_live: Duration) -> Self {
        self.policy.negative_time_to_live = time_to_live.min(MAX_TIME_TO_LIVE);
        self
    }

    /// Deadlines are shortened by a random share up to `share`. Below 0 counts as 0, above 1 as 1,
    /// and what is no finite number as 0.
    pub fn jitter(mut self, share: f64) -> Self {
        self.policy.jitter = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        self
    }

    /// A reader waits for a load no longer than this. The load itself goes on, is kept when it
    /// ends, and is given up after twice as long. At least a millisecond, or the cache is not built;
    /// more than ten years count as ten years.
    pub fn load_timeout(mut self, timeout: Duration) -> Self {
        self.policy.load_timeout = timeout.min(MAX_TIME_TO_LIVE);
        self
    }

    /// A load waits no longer than this for another process that is loading the same key, then
    /// loads as well, and leaves L2 alone: at once where it is zero. By default it waits for as long
    /// as the other load runs, which is given up after twice the load timeout; its lease ends three
    /// seconds after its process has died. Readers wait no longer than the load timeout, or are
    /// served what is stale. For writes of other processes, or nodes of an earlier version, a load
    /// waits half a second at most, and so does one that another load began for whatever it waits.
    /// More than ten years count as ten years.
    pub fn lease_wait(mut self, wait: Duration) -> Self {
        self.policy.lease_wait = wait.min(MAX_TIME_TO_LIVE);
        self
    }

    /// So many loads of this cache run at a time on one node; one of many keys counts once. The
    /// others wait for their turn, for at most the load timeout, in the order in which they came;
    /// then their readers get [`LoadError::Busy`](crate::LoadError::Busy), or what is stale within
    /// its grace. Another process may load the key meanwhile: then that is what they get. A load
    /// that a load of the same cache began or waits for needs no turn of its own, and
    /// [`bypass`](Cache::bypass) none at all. Refused by [`build`](Self::build) where it is 0.
    pub fn max_loads(mut self, max: usize) -> Self {
        self.policy.max_loads = max;
        self
    }

    /// Fail-safe: for so long after its time to live an entry may stand in where the source fails,
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

    /// A reader that could be served a stale entry within its grace waits for the source no longer
    /// than this, and never longer than the load timeout: not at all where it is zero. The load goes
    /// on.
    pub fn soft_timeout(mut self, timeout: Duration) -> Self {
        self.policy.soft_timeout = Some(timeout.min(MAX_TIME_TO_LIVE));
        self
    }

    /// Refreshes entries in the background before they expire, the likelier the nearer the
    /// deadline and the longer their load took (XFetch). 1 is the paper's choice, more is earlier,
    /// 0 is off, the default. Below 0 counts as 0, above 1 000 as 1 000, and what is no finite number
    /// as 0.
    pub fn refresh_ahead(mut self, beta: f64) -> Self {
        self.policy.refresh_ahead = if beta.is_finite() { beta.clamp(0.0, 1_000.0) } else { 0.0 };
        self
    }

    /// The version of the value's form; 0 by default. Raise it with each change that the codec
    /// cannot read across. Each version keeps its own entries in L2, so the old and the new program
    /// go on hitting side by side during a deploy, and after a rollback. An invalidation by either
    /// takes the entries of all versions away. A version's entries are looked for as long as they
    /// may live, and a day longer.
    ///
    /// Nodes of a Strata that knows one version at a time remove only the entries of version 0.
    /// What they leave of another version is removed by each node of that version that hears of
    /// it, before it reads L2 again. Where no node of that version runs meanwhile, such entries
    /// stay for their time to live in L2.
    pub fn schema(mut self, version: u16) -> Self {
        self.policy.schema = version;
        self
    }

    /// How L2 writes values; JSON by default.
    pub fn codec(mut self, codec: Codec) -> Self {
        self.policy.form.codec = codec;
        self
    }

    /// Compresses values above so many bytes in L2 with LZ4; off by default. Pays from one or two
    /// kilobytes on. Caches with another threshold, or none, read them all the same.
    pub fn compress_above(mut self, bytes: usize) -> Self {
        self.policy.form.compress_above = Some(bytes);
        self
    }

    /// A value above so many bytes, before compression, is kept in L1 only, and counted as unfit;
    /// more than 4 GiB count as 4 GiB. The same holds for keys above 1 024 bytes.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        // Four bytes tell the length of what is compressed.
        self.policy.form.max_bytes = bytes.min(u32::MAX as usize);
        self
    }

    /// Counts keys of this form as a group of their own: `author:{id}`, `{id}:page:{n}`. Each
    /// `{name}` stands for one or more characters other than `:` and `/`. The first template that
    /// matches counts; what fits none is `other`. At most 64 groups.
    pub fn group(mut self, template: &str) -> Self {
        self.templates.push(template.to_owned());
        self
    }

    /// Counts keys in groups as `group_of` names them, instead of by templates. The first 64 names
    /// are groups, the rest is `other`. It is asked as a key is filled or missed, never on a hit.
    pub fn group_by(mut self, group_of: impl Fn(&K) -> String + Send + Sync + 'static) -> Self {
        self.group_of = Some(Box::new(group_of));
        self
    }

    /// How much this cache records; everything by default.
    pub fn recording(mut self, recording: Recording) -> Self {
        self.policy.recording = recording;
        self
    }

    /// Shows its values to nobody: no page, answer or export of a dashboard holds one. Keys, times
    /// and sizes are shown, and whether copies differ. The program reads its values as always.
    pub fn opaque(mut self) -> Self {
        self.policy.visibility = ValueVisibility::Opaque;
        self
    }

    /// Shows a dashboard's visitors values as `redact` leaves them, given and taken as JSON. Called
    /// for each look at a key, also for the source's value. A value that is no JSON is hidden, and
    /// so is one that makes `redact` panic. Ignored where the cache is [`opaque`](Self::opaque).
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
    /// When the name is taken on this node, by a cache or by structures, or cannot be one, a
    /// group's template is none, or a setting would let nothing work, which the error names. Never
    /// because Redis is away.
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
