//! Every setting at the ends of its type: it is refused by its name, or the cache works with it.

use std::fmt::Debug;
use std::io::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use strata_cache::{BuildError, Cache, CacheBuilder, Codec, Node, NodeBuilder};
use strata_cache::{Row, WriteBehind, WriteBehindBuilder};
use tokio::time::timeout;

use crate::support::ways::onlooker;
use crate::support::{Redis, eventually};

type Users = CacheBuilder<u64, String>;
type Writes = WriteBehindBuilder<u64, String>;

/// Longer than anything here takes, on any machine.
const BOUND: Duration = Duration::from_secs(30);

const TIMES: [Duration; 4] =
    [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1), Duration::MAX];
const COUNTS: [u64; 4] = [0, 1, 1_000, u64::MAX];
const SHARES: [f64; 6] = [0.0, 1.0, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];

/// A setting by its name.
type Setter<B, T> = (&'static str, fn(B, T) -> B);

/// A setting at one value: its name, the value as text, and the function that sets it.
type Set<B> = (&'static str, String, Box<dyn Fn(B) -> B>);

fn at_each<B: 'static, T: Copy + Debug>(
    settings: &[Setter<B, T>],
    values: &'static [T],
) -> Vec<Set<B>> {
    let mut all: Vec<Set<B>> = Vec::new();
    for (name, set) in settings.iter().copied() {
        for value in values {
            let set = Box::new(move |builder| set(builder, *value));
            all.push((name, format!("{name}({value:?})"), set));
        }
    }
    all
}

fn all<B: 'static>(
    times: &[Setter<B, Duration>],
    counts: &[Setter<B, u64>],
    shares: &[Setter<B, f64>],
) -> Vec<Set<B>> {
    let mut settings = at_each(times, &TIMES);
    settings.extend(at_each(counts, &COUNTS));
    settings.extend(at_each(shares, &SHARES));
    settings
}

fn of_a_cache() -> Vec<Set<Users>> {
    all(
        &[
            ("time_to_live", Users::time_to_live),
            ("time_to_idle", Users::time_to_idle),
            ("l2_time_to_live", Users::l2_time_to_live),
            ("negative_time_to_live", Users::negative_time_to_live),
            ("load_timeout", Users::load_timeout),
            ("lease_wait", Users::lease_wait),
            ("grace", Users::grace),
            ("retry_after", Users::retry_after),
            ("soft_timeout", |cache, time| cache.grace(BOUND).soft_timeout(time)),
        ],
        &[
            ("l1_entries", Users::l1_entries),
            ("l1_weight", |cache, n| cache.l1_weight(n, move |_, _| n as u32)),
            ("schema", |cache, n| cache.schema(n as u16)),
            ("compress_above", |cache, n| cache.compress_above(n as usize)),
            ("max_value_bytes", |cache, n| {
                cache.codec(Codec::Postcard).max_value_bytes(n as usize)
            }),
        ],
        &[("jitter", Users::jitter), ("refresh_ahead", Users::refresh_ahead)],
    )
}

fn of_a_write_behind() -> Vec<Set<Writes>> {
    all(
        &[
            ("interval", Writes::interval),
            ("pauses", |writes, time| writes.pauses(time, time)),
            ("pauses", |writes, time| writes.pauses(Duration::MAX, time)),
            ("pauses", |writes, time| writes.pauses(Duration::ZERO, time)),
            ("sink_timeout", Writes::sink_timeout),
            ("claim_after", Writes::claim_after),
        ],
        &[
            ("capacity", |writes, n| writes.capacity(n as usize)),
            ("max_batch", |writes, n| writes.max_batch(n as usize)),
            ("tries", |writes, n| writes.tries(n.min(u64::from(u32::MAX)) as u32)),
        ],
        &[],
    )
}

fn names_it(refusal: &BuildError, name: &str, said: &str) {
    let text = refusal.to_string();
    assert!(matches!(refusal, BuildError::BadSetting { .. }), "{said}: {text}");
    if let BuildError::BadSetting { setting, value, allowed } = refusal {
        assert_eq!(*setting, name, "{said}: {text}");
        assert!(text.contains(value) && text.contains(allowed), "{said}: {text}");
    }
}

async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = timeout(BOUND, work).await;
    assert!(done.is_ok(), "{what}: takes too long");
    done.unwrap()
}

async fn serves(node: &Node, cache: &Cache<u64, String>, said: &str) {
    let load = || async { Ok::<_, Error>(Some("value".to_owned())) };
    for _ in 0..2 {
        let read = in_time(said, cache.get_or_load(&1, load)).await.unwrap();
        assert_eq!(read.value.unwrap().as_str(), "value", "{said}");
    }
    let (written, _) = in_time(said, cache.write_through(&2, read_as_write())).await.unwrap();
    assert_eq!(written.as_str(), "value", "{said}");
    in_time(said, cache.invalidate(&1)).await;
    is_sound(node, said);
}

async fn read_as_write() -> Result<String, Error> {
    Ok("value".to_owned())
}

fn is_sound(node: &Node, said: &str) {
    let report = node.report();
    let failures: Vec<_> = report.tasks.iter().filter(|task| task.failure.is_some()).collect();
    assert!(failures.is_empty(), "{said}: {failures:?}");
    assert_eq!(report.caches.iter().map(|cache| cache.panics).sum::<u64>(), 0, "{said}");
    assert_eq!(report.l2.breaker_opened, 0, "{said}: {:?}", report.l2.last_error);
}

#[tokio::test]
async fn every_setting_of_a_cache_is_refused_by_name_or_serves() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let mut refused = Vec::new();
    for (n, (name, said, set)) in of_a_cache().into_iter().enumerate() {
        match set(Cache::builder(&format!("users-{n}"))).build(&node) {
            Ok(cache) => serves(&node, &cache, &said).await,
            Err(refusal) => {
                names_it(&refusal, name, &said);
                refused.push(said);
            }
        }
    }
    assert_eq!(refused, ["load_timeout(0ns)", "load_timeout(1ns)"]);
}

#[tokio::test]
async fn every_setting_of_a_node_is_refused_by_name_or_serves() {
    let redis = Redis::start().await;
    let ids: [Set<NodeBuilder>; 3] = [
        ("id", "id of nothing".to_owned(), Box::new(|node| node.id(""))),
        ("id", "a short id".to_owned(), Box::new(|node| node.id("é"))),
        ("id", "a long id".to_owned(), Box::new(|node| node.id(&"i".repeat(1 << 20)))),
    ];
    let mut settings = all(&[("l2_timeout", NodeBuilder::l2_timeout)], &[], &[]);
    settings.extend(ids);
    let mut refused = Vec::new();
    for (name, said, set) in settings {
        let node = set(Node::builder("test").redis_url(&redis.url()));
        match in_time(&said, node.start()).await {
            Ok(node) => serves(&node, &crate::support::cache(&node), &said).await,
            Err(refusal) => {
                names_it(&refusal, name, &said);
                refused.push(said);
            }
        }
    }
    assert_eq!(refused, ["l2_timeout(0ns)", "l2_timeout(1ns)", "id of nothing", "a long id"]);
}

/// A sink that fails its first call, so that pauses count.
#[derive(Clone, Default)]
struct Sink {
    calls: Arc<AtomicU64>,
    rows: Arc<AtomicU64>,
}

impl Sink {
    async fn take(self, n_rows: usize) -> Result<(), Error> {
        if self.calls.fetch_add(1, Ordering::SeqCst) == 0 {
            return Err(Error::other("not yet"));
        }
        self.rows.fetch_add(n_rows as u64, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn every_setting_of_a_write_behind_is_refused_by_name_or_writes() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let mut refused = Vec::new();
    for (n, (name, said, set)) in of_a_write_behind().into_iter().enumerate() {
        for kind in ["durable", "in memory"] {
            let name_of_cache = format!("users-{n}-{}", kind.len());
            let cache: Cache<u64, String> = Cache::builder(&name_of_cache).build(&node).unwrap();
            let (sink, said) = (Sink::default(), format!("{kind}: {said}"));
            let counted = sink.clone();
            let writes = set(WriteBehind::builder(&cache).pauses(Duration::ZERO, Duration::ZERO));
            let built = match kind {
                "durable" => writes
                    .durable(move |rows: Vec<Row<u64, String>>| counted.clone().take(rows.len())),
                _ => writes.in_memory(move |rows| counted.clone().take(rows.len())),
            };
            match built {
                Ok(writes) => {
                    let waits = said.contains("(18446744073709551615.999999999s)")
                        && (name == "interval" || name == "pauses");
                    wrote(&writes, &sink, waits, &said).await;
                    is_sound(&node, &said);
                }
                Err(refusal) => {
                    names_it(&refusal, name, &said);
                    refused.push(said);
                }
            }
        }
    }
    let expected = ["0ns", "1ns"]
        .map(|time| ["durable", "in memory"].map(|kind| format!("{kind}: sink_timeout({time})")));
    assert_eq!(refused, expected.concat());
}

/// Writes one row, and ends within the deadline whatever the setting. If `waits`, its turn may not
/// come within a lifetime.
async fn wrote(writes: &WriteBehind<u64, String>, sink: &Sink, waits: bool, said: &str) {
    in_time(said, writes.write(1, "value".to_owned())).await.unwrap();
    let is_gone = || sink.rows.load(Ordering::SeqCst) + writes.report().aside > 0;
    if !waits && !said.contains("pauses") {
        eventually(said, async || is_gone()).await;
    }
    let deadline =
        if waits || said.contains("pauses") { Duration::from_millis(100) } else { BOUND };
    let ended = timeout(BOUND + BOUND, writes.shutdown(deadline)).await;
    assert!(ended.is_ok(), "{said}: it does not end");
}

#[tokio::test]
async fn nothing_spins_where_there_is_no_pause_to_make() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = crate::support::cache(&node);
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let writes = WriteBehind::builder(&cache)
        .interval(Duration::ZERO)
        .pauses(Duration::ZERO, Duration::ZERO)
        .tries(u32::MAX)
        .in_memory(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Err(Error::other("never")) }
        })
        .unwrap();
    let began = Instant::now();
    writes.write(1, "value".to_owned()).await.unwrap();
    eventually("it is tried again and again", async || calls.load(Ordering::SeqCst) >= 50).await;
    // Pauses are at least a millisecond, less a random share of up to a half.
    let most = 2 * began.elapsed().as_millis() as u64 + 2;
    let n_calls = calls.load(Ordering::SeqCst);
    assert!(n_calls <= most, "{n_calls} calls in {:?}", began.elapsed());
}
