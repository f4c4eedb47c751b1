//! How long a look at an L1 of a million entries, or their removal, keeps other tasks waiting. This
//! is the longest gap between two ticks of a 1 ms ticker on a runtime with one thread, less the
//! time in which other processes had the processor.

use std::collections::HashMap;
use std::convert::Infallible;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strata_cache::{Cache, L1List, Node, Pattern};
use tokio::runtime::{Builder, Handle};
use tokio::time::sleep;

use crate::redis_server::RedisServer;
use crate::table::{Table, spoken};
use crate::ticker::{Gaps, Ticker, waited};

const N_ENTRIES: u64 = 1_000_000;
const AIM: Duration = Duration::from_millis(10);
const HOUR: Duration = Duration::from_secs(3_600);

/// The cache is filled within this time, and empty after it.
const SHORT: Duration = Duration::from_secs(12);

type Users = Cache<u64, u64>;

pub(crate) async fn rows(table: &mut Table, redis: &RedisServer) {
    let (here, there) = (redis.node("looking").await, redis.url());
    let other = users("users", HOUR).build(&here).expect("a cache");
    let elsewhere = Elsewhere { runtime: Handle::current(), node: here, cache: other };
    let measured = tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(Measured::of(&there, elsewhere))
    });
    for (what, gap, detail) in measured.await.expect("gaps").0 {
        match what {
            What::Ours(what) => table.within(&format!("{what}: worst gap"), (gap, AIM), detail),
            What::Floor(what) => table.time(&what, gap, detail),
        }
    }
}

fn users(name: &str, time_to_live: Duration) -> strata_cache::CacheBuilder<u64, u64> {
    Cache::builder(name)
        .l1_entries(2 * N_ENTRIES)
        .time_to_live(time_to_live)
        .jitter(0.0)
        .l2_time_to_live(Duration::ZERO)
}

/// Another node, on a runtime of its own.
struct Elsewhere {
    runtime: Handle,
    node: Node,
    cache: Users,
}

impl Elsewhere {
    /// Runs an operation on that node, and waits until `node` has heard of it.
    async fn act<F>(&self, node: &Node, act: impl FnOnce(Users) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (acting, other) = (act(self.cache.clone()), self.node.clone());
        let sequence = self.runtime.spawn(async move {
            acting.await;
            other.bus_sequence().await.expect("a number")
        });
        assert!(node.has_heard(sequence.await.expect("an end"), HOUR).await);
    }
}

enum What {
    Ours(String),
    Floor(String),
}

#[derive(Default)]
struct Measured(Vec<(What, Duration, String)>);

impl Measured {
    async fn of(url: &str, elsewhere: Elsewhere) -> Self {
        let mut measured = Self::default();
        measured.floors().await;
        let node = Node::builder("bench").id("here").redis_url(url).start().await.expect("a node");
        let cache = users("users", HOUR).build(&node).expect("a cache");
        fill(&cache).await;
        measured.gap("report right after the fill", async || drop(black_box(node.report()))).await;
        measured.looks(&node).await;
        measured.patterns(&node, &cache, &elsewhere).await;
        measured.emptying(&node, &cache, &elsewhere).await;
        drop(cache);
        measured.expiry(&node).await;
        measured
    }

    /// The longest gaps of moka itself, and of the machine.
    async fn floors(&mut self) {
        let moka = bare();
        let (ticker, idle) = (Ticker::start(), Duration::from_secs(5));
        sleep(idle).await;
        let Gaps { own, all } = ticker.worst_gaps().await;
        let detail = format!("in {}; {} with what others had", spoken(idle), spoken(all));
        self.floor("nothing: worst gap", own, detail);
        let settling = timed(|| moka.run_pending_tasks());
        self.floor("bare moka: `run_pending_tasks` after the fill", settling, String::new());
        let (mut entries, mut keys) = (moka.iter(), Vec::new());
        let longest = longest_step(|| entries.next().map(|(key, _)| keys.push(key)).is_some());
        self.floor("bare moka: longest step of `iter`", longest, format!("of {}", keys.len()));
        drop(entries);
        let mut rest = keys.iter();
        let longest = longest_step(|| rest.next().map(|key| moka.invalidate(&**key)).is_some());
        let of_all = format!("of {}, in the order of a walk", keys.len());
        self.floor("bare moka: longest `invalidate`, one by one", longest, of_all);
        let moka = bare();
        moka.invalidate_all();
        let emptying = timed(|| moka.run_pending_tasks());
        let left = format!("{} entries left", moka.entry_count());
        self.floor("bare moka: `run_pending_tasks` after `invalidate_all`", emptying, left);
        drop(moka);
        self.idle_floor().await;
    }

    /// How long evicting all idle entries keeps other tasks waiting, although another thread does
    /// it.
    async fn idle_floor(&mut self) {
        let moka = fill_bare(moka::sync::Cache::builder().time_to_idle(SHORT));
        sleep(SHORT).await;
        let (ticker, mut longest) = (Ticker::start(), Duration::ZERO);
        let (began, waited_before) = (Instant::now(), waited());
        while moka.entry_count() > 0 {
            let evicting = moka.clone();
            let evict = move || timed(|| evicting.run_pending_tasks());
            longest = longest.max(tokio::task::spawn_blocking(evict).await.expect("an end"));
        }
        let took = began.elapsed().saturating_sub(waited() - waited_before);
        let gap = ticker.worst_gaps().await.own;
        let detail =
            format!("a single `run_pending_tasks` {}; in {}", spoken(longest), spoken(took));
        self.floor(
            "bare moka: a million go idle, evicted on another thread: worst gap",
            gap,
            detail,
        );
    }

    async fn looks(&mut self, node: &Node) {
        for key in ["1", "999999", "5000000"] {
            let look = async || drop(node.look_l1("users", key).await.expect("a look"));
            self.gap(&format!("look at the key {key}"), look).await;
        }
        let all = Pattern::prefix("");
        let list = L1List { pattern: &all, after: None, limit: 100 };
        let listing = async || {
            let (n_keys, rows) = node.list_l1("users", &list).await.expect("a list");
            assert_eq!((n_keys, rows.len()), (N_ENTRIES, 100));
        };
        self.gap("listing the first 100", listing).await;
        let matching = async || drop(node.match_l1("users", &all, 100).await.expect("matches"));
        self.gap("counting what matches", matching).await;
        let keys = ["77".to_owned()];
        let among = async || {
            assert_eq!(node.among_l1("users", &keys).await.expect("rows").len(), 1);
        };
        self.gap("which of some keys lie there", among).await;
        let survey = async || drop(node.survey_l1("users").await.expect("a survey"));
        self.gap("survey", survey).await;
    }

    async fn patterns(&mut self, node: &Node, cache: &Users, elsewhere: &Elsewhere) {
        for text in ["zz*", "99999*", "*a*b*c*d*", "7*"] {
            let pattern = Pattern::parse(text).expect("a pattern");
            let act = |cache: Users| async move {
                cache.invalidate_pattern(&pattern).await;
            };
            let heard = async || {
                elsewhere.act(node, act).await;
                sleep(Duration::from_secs(2)).await;
            };
            self.gap(&format!("pattern heard: {text}"), heard).await;
        }
        let pattern = Pattern::parse("8*").expect("a pattern");
        let own = async || {
            cache.invalidate_pattern(&pattern).await;
            sleep(Duration::from_secs(2)).await;
        };
        self.gap("own pattern: 8*", own).await;
    }

    async fn emptying(&mut self, node: &Node, cache: &Users, elsewhere: &Elsewhere) {
        let clear = async || {
            cache.clear().await;
            black_box(node.report());
            until_empty(cache).await;
        };
        self.gap("clear, a report at once, until L1 is empty", clear).await;
        fill(cache).await;
        let heard = async || {
            elsewhere
                .act(node, |cache| async move {
                    cache.clear().await;
                })
                .await;
            until_empty(cache).await;
        };
        self.gap("clear heard, until L1 is empty", heard).await;
    }

    async fn expiry(&mut self, node: &Node) {
        let short = users("short", SHORT).build(node).expect("a cache");
        fill(&short).await;
        self.gap("a million expire, until L1 is empty", async || until_empty(&short).await).await;
        let idle = users("idle", HOUR).time_to_idle(SHORT).build(node).expect("a cache");
        fill(&idle).await;
        let gone = async || until_empty(&idle).await;
        self.gap("a million go idle and nobody reads, until L1 is empty", gone).await;
    }

    /// The longest gap while the work runs.
    async fn gap(&mut self, what: &str, work: impl AsyncFnOnce()) {
        let ticker = Ticker::start();
        sleep(Duration::from_millis(100)).await;
        let began = Instant::now();
        work().await;
        let took = spoken(began.elapsed());
        sleep(Duration::from_millis(50)).await;
        let Gaps { own: gap, all } = ticker.worst_gaps().await;
        let took = format!("took {took}; {} with what others had", spoken(all));
        eprintln!("looking: {what}: {} ({took})", spoken(gap));
        self.0.push((What::Ours(what.to_owned()), gap, took));
    }

    fn floor(&mut self, what: &str, took: Duration, detail: String) {
        eprintln!("looking: {what}: {} {detail}", spoken(took));
        self.0.push((What::Floor(what.to_owned()), took, detail));
    }
}

/// About as large as an entry of Strata.
type Bare = moka::sync::Cache<u64, (Arc<u64>, [u64; 12])>;

fn bare() -> Bare {
    fill_bare(moka::sync::Cache::builder())
}

fn fill_bare(builder: moka::sync::CacheBuilder<u64, (Arc<u64>, [u64; 12]), Bare>) -> Bare {
    let moka = builder.max_capacity(2 * N_ENTRIES).eviction_listener(|_, _, _| ()).build();
    (0..N_ENTRIES).for_each(|key| moka.insert(key, (Arc::new(key), [key; 12])));
    moka
}

/// The longest of many steps, without the time in which other processes had the processor. Ends
/// when a step returns that nothing is left.
fn longest_step(mut step: impl FnMut() -> bool) -> Duration {
    let mut longest = Duration::ZERO;
    loop {
        let (before, mut longest_here, mut is_over) = (waited(), Duration::ZERO, false);
        for _ in 0..1_000 {
            longest_here = longest_here.max(timed(|| is_over = !step()));
        }
        longest = longest.max(longest_here.saturating_sub(waited() - before));
        if is_over {
            return longest;
        }
    }
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}

async fn fill(cache: &Users) {
    let keys: Vec<u64> = (0..N_ENTRIES).collect();
    for some in keys.chunks(1_000) {
        let load = async |keys: Vec<u64>| {
            Ok::<_, Infallible>(keys.into_iter().map(|key| (key, key)).collect::<HashMap<_, _>>())
        };
        black_box(cache.get_many(some, load).await);
    }
}

async fn until_empty(cache: &Users) {
    while cache.report().l1.entries > 0 {
        sleep(Duration::from_millis(50)).await;
    }
}
