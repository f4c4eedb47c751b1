use std::io;
use std::ops::Range;
use std::time::Duration;

use strata_cache::{Cache, Node};
use strata_demo::Items;
use strata_report::Outcome;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::measurement::{MeasureError, MeasuredRow, Speed};
use crate::sandbox::{Environment, L2_TIMEOUT};
use crate::trace::Level;

/// Measures what a read costs, level by level and size by size.
pub(crate) struct Bench {
    environment: Environment,
    stop: CancellationToken,
}

/// What answers the reads.
#[derive(Clone)]
enum MeasuredLevel {
    /// A cache, of which one level alone should answer.
    Cache(Cache<u64, String>, Outcome),
    Table(Items),
}

const SIZES_BYTES: [usize; 4] = [100, 1_000, 10_000, 100_000];
/// Few, so that all of them fit everywhere at every size.
const N_KEYS: u64 = 32;
const N_READERS: usize = 16;
/// Whichever comes first ends a measurement.
const SPAN: Duration = Duration::from_millis(300);
const MAX_READS: usize = 40_000;
/// Before it is measured.
const WARM_UP_READS: usize = 200;
/// Between two turns of others on this thread.
const READS_A_TURN: usize = 32;
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// Longer than any measurement takes.
const TIME_TO_LIVE: Duration = Duration::from_secs(600);

impl Bench {
    pub(crate) fn new(environment: Environment, stop: CancellationToken) -> Self {
        Self { environment, stop }
    }

    pub(crate) fn n_lines(has_redis: bool) -> usize {
        SIZES_BYTES.len() * if has_redis { 3 } else { 2 }
    }

    /// Measures all of it; `progress` is called with how many lines are done, and of how many.
    pub(crate) async fn run(
        self,
        progress: impl Fn((usize, usize)) + Send + 'static,
    ) -> Result<Vec<MeasuredRow>, MeasureError> {
        let deadline = Instant::now() + TIME_LIMIT;
        let redis = self.environment.redis()?;
        let node = self.environment.node("measured", redis.clone(), L2_TIMEOUT).await?;
        let measured = tokio::select! {
            measured = timeout_at(deadline, self.rows(&node, progress)) => {
                measured.unwrap_or(Err(MeasureError::TookTooLong))
            }
            () = self.stop.cancelled() => Err(MeasureError::Stopped),
        };
        node.shutdown();
        if redis.is_some() {
            let outsider = self.environment.node("lab", redis, L2_TIMEOUT).await?;
            outsider.shutdown();
            self.environment.erase(&outsider).await;
        }
        measured
    }

    async fn rows(
        &self,
        node: &Node,
        progress: impl Fn((usize, usize)),
    ) -> Result<Vec<MeasuredRow>, MeasureError> {
        let has_redis = self.environment.redis_url.is_some();
        let levels: &[Level] = match has_redis {
            true => &[Level::L1, Level::L2, Level::Source],
            false => &[Level::L1, Level::Source],
        };
        let mut rows = Vec::new();
        for level in levels.iter().copied() {
            for value_bytes in SIZES_BYTES {
                let answerer = MeasuredLevel::make(node, level, value_bytes).await?;
                speed(&answerer, 1, WARM_UP_READS).await?;
                let alone = speed(&answerer, 1, MAX_READS).await?;
                let crowd = speed(&answerer, N_READERS, MAX_READS).await?;
                answerer.close().await;
                rows.push(MeasuredRow { level, value_bytes, alone, crowd });
                progress((rows.len(), Self::n_lines(has_redis)));
            }
        }
        Ok(rows)
    }
}

impl MeasuredLevel {
    async fn make(node: &Node, level: Level, value_bytes: usize) -> Result<Self, MeasureError> {
        if level == Level::Source || level == Level::Nowhere {
            return Ok(Self::Table(Items::open(N_KEYS, value_bytes).await?));
        }
        let name =
            format!("measured-{}-{value_bytes}", if level == Level::L1 { "l1" } else { "l2" });
        let builder =
            Cache::builder(&name).time_to_live(TIME_TO_LIVE).l2_time_to_live(TIME_TO_LIVE);
        let (cache, outcome) = match level {
            Level::L1 => (builder.l1_only().build(node)?, Outcome::L1Hit),
            _ => (builder.l1_entries(0).build(node)?, Outcome::L2Hit),
        };
        for key in 1..=N_KEYS {
            cache.insert(&key, "x".repeat(value_bytes)).await;
        }
        Ok(Self::Cache(cache, outcome))
    }

    async fn read(&self, key: u64) -> Result<(), MeasureError> {
        let is_right = match self {
            Self::Cache(cache, outcome) => {
                let nothing = || async { Ok::<_, io::Error>(None) };
                let read = cache.get_or_load(&key, nothing).await;
                read.is_ok_and(|read| read.outcome == *outcome)
            }
            Self::Table(items) => items.select(key).await?.is_some(),
        };
        if is_right { Ok(()) } else { Err(MeasureError::Elsewhere(self.name())) }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Cache(_, Outcome::L1Hit) => "L1",
            Self::Cache(..) => "Redis",
            Self::Table(_) => "the database",
        }
    }

    async fn close(&self) {
        if let Self::Table(items) = self {
            items.close().await;
        }
    }
}

async fn speed(
    answerer: &MeasuredLevel,
    n_readers: usize,
    max_reads: usize,
) -> Result<Speed, MeasureError> {
    let began = Instant::now();
    let mut readers = JoinSet::new();
    for reader in 0..n_readers {
        // Each has keys of its own, so that none waits for another's read.
        let n_keys = N_KEYS / n_readers as u64;
        let first = reader as u64 * n_keys + 1;
        let keys = first..first + n_keys;
        readers.spawn(read_on(answerer.clone(), keys, max_reads / n_readers));
    }
    let mut all_ns: Vec<u64> = Vec::new();
    while let Some(read) = readers.join_next().await {
        all_ns.extend(read.unwrap_or(Err(MeasureError::Panicked))?);
    }
    let took = began.elapsed();
    all_ns.sort_unstable();
    let at = |part: usize| all_ns.get((all_ns.len() * part / 100).min(all_ns.len() - 1));
    let quantile = |part| at(part).copied().unwrap_or_default();
    Ok(Speed {
        reads: all_ns.len(),
        p50_ns: quantile(50),
        p99_ns: quantile(99),
        per_s: all_ns.len() as f64 / took.as_secs_f64(),
    })
}

/// Nanoseconds of each read; at least one.
async fn read_on(
    answerer: MeasuredLevel,
    keys: Range<u64>,
    max_reads: usize,
) -> Result<Vec<u64>, MeasureError> {
    let end = std::time::Instant::now() + SPAN;
    let mut all_ns = Vec::new();
    for (turn, key) in keys.cycle().enumerate().take(max_reads) {
        let began = std::time::Instant::now();
        answerer.read(key).await?;
        let ended = std::time::Instant::now();
        all_ns.push(u64::try_from((ended - began).as_nanos()).unwrap_or(u64::MAX));
        if ended > end {
            break;
        }
        if turn % READS_A_TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    Ok(all_ns)
}
