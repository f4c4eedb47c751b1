//! Counts the keys of L2: one node at a time, with rests in proportion to the work.

use std::collections::HashMap;
use std::time::Duration;

use redis::{Cmd, RedisResult, cmd, pipe};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::clock::{millis, now_ms};
use crate::connection::{Bus, CallError, Link};
use crate::l2::SCAN_COUNT;
use crate::pattern::escape;

/// The pause between two steps, so that counting does not crowd out reads.
const PACE: Duration = Duration::from_millis(2);

/// Asks for the size of one key in this many.
pub(crate) const SAMPLED_ONE_IN: usize = 16;

/// The counting node has the turn for this long, and extends it while it counts. If it dies, no
/// node counts until the turn ends.
const TURN: Duration = Duration::from_secs(60);

/// The rest after a count: at least this long, and a multiple of the count's duration.
const SHORTEST_REST: Duration = Duration::from_secs(8);

const REST_PER_WALK: u32 = 20;

/// A count that takes longer is given up.
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// How long the result of a count is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The count of one cache.
#[derive(Default)]
struct CacheCount {
    entries: u64,
    sampled: u64,
    sampled_bytes: u64,
}

/// The last count of what each cache of a namespace keeps in L2, by whichever node had the turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct L2Census {
    /// When the count ended, milliseconds since the epoch.
    pub counted_at_ms: u64,
    /// How long it took, milliseconds.
    pub took_ms: u64,
    /// For each cache that has keys; empty if the count was given up.
    pub counts: Vec<L2Count>,
    /// If the count was given up because it took too long: the keys of all caches that it had
    /// passed, to within one step of SCAN.
    pub given_up_after: Option<u64>,
    /// In that case, about how many keys there are, if Redis reports it.
    pub keys: Option<u64>,
}

/// The count of one cache's L2 entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct L2Count {
    /// The cache.
    pub cache: String,
    /// The number of its keys.
    pub entries: u64,
    /// Their size in bytes, estimated from a sample.
    pub weight_bytes: u64,
}

impl Link {
    /// The newest census of a namespace. Counts now if no other node has the turn and the last
    /// count's rest is over; otherwise returns the last result. However many nodes ask, Redis is
    /// walked by one of them at a time, and rests for twenty times as long. `None` before the first
    /// count.
    pub(crate) async fn census_in_turn(
        &self,
        bus: &Bus,
        within: Duration,
    ) -> Result<Option<L2Census>, CallError> {
        let (turn, last) = (bus.beside("census:turn"), bus.beside("census"));
        let took_turn: Option<String> = self.inspect(hold(&turn, TURN).arg("NX")).await?;
        if took_turn.is_none() {
            let json: Option<String> = self.inspect(cmd("GET").arg(&last)).await?;
            return Ok(json.and_then(|json| serde_json::from_str(&json).ok()));
        }
        let began = Instant::now();
        let counted = self.census(bus.namespace(), (Some(&turn), within)).await?;
        let took = began.elapsed();
        let census = L2Census { counted_at_ms: now_ms(), took_ms: millis(took), ..counted };
        let json = serde_json::to_string(&census).unwrap_or_default();
        self.inspect::<()>(cmd("SET").arg(&last).arg(json).arg("PX").arg(millis(KEPT))).await?;
        self.inspect::<()>(&hold(&turn, SHORTEST_REST.max(took * REST_PER_WALK))).await?;
        Ok(Some(census))
    }

    /// Counts the keys of each cache of a namespace now. Extends the turn meanwhile, and gives up
    /// after this time.
    pub(crate) async fn census(
        &self,
        namespace: &str,
        (turn, within): (Option<&str>, Duration),
    ) -> Result<L2Census, CallError> {
        let prefix = format!("{{{namespace}}}:");
        let glob = format!("{}*", escape(&prefix));
        let mut counts: HashMap<String, CacheCount> = HashMap::new();
        let (began, mut cursor, mut passed) = (Instant::now(), 0, 0);
        let mut kept_at = began;
        loop {
            let scan = |cursor| {
                let mut scan = cmd("SCAN");
                scan.arg(cursor).arg("MATCH").arg(&glob).arg("COUNT").arg(SCAN_COUNT);
                // Entries are strings. A hash or list with a key of the same form has no STRLEN.
                scan.arg("TYPE").arg("string");
                scan
            };
            let (next, keys) = self.walk_on(cursor, scan).await?;
            self.count_batch(&prefix, &keys, &mut counts).await?;
            (cursor, passed) = (next, passed + SCAN_COUNT as u64);
            if cursor == 0 {
                break;
            }
            if began.elapsed() >= within {
                // A partial count would make some caches look smaller than they are.
                let keys = self.inspect::<u64>(&cmd("DBSIZE")).await.ok();
                return Ok(L2Census { given_up_after: Some(passed), keys, ..L2Census::default() });
            }
            if let Some(turn) = turn.filter(|_| kept_at.elapsed() > TURN / 4) {
                self.inspect::<()>(&hold(turn, TURN)).await?;
                kept_at = Instant::now();
            }
            tokio::time::sleep(PACE).await;
        }
        let counts = counts.into_iter().map(|(cache, count)| count.scaled(cache)).collect();
        Ok(L2Census { counts, ..L2Census::default() })
    }

    async fn count_batch(
        &self,
        prefix: &str,
        keys: &[Vec<u8>],
        counts: &mut HashMap<String, CacheCount>,
    ) -> Result<(), CallError> {
        let cache_of = |key: &[u8]| {
            let text = std::str::from_utf8(key).ok()?;
            let (cache, _) = text.strip_prefix(prefix)?.split_once(':')?;
            // Entries of every schema count.
            Some(cache.split_once('@').map_or(cache, |(cache, _)| cache).to_owned())
        };
        for cache in keys.iter().filter_map(|key| cache_of(key)) {
            counts.entry(cache).or_default().entries += 1;
        }
        let sample: Vec<&Vec<u8>> = keys.iter().step_by(SAMPLED_ONE_IN).collect();
        if sample.is_empty() {
            return Ok(());
        }
        let mut lengths = pipe();
        for key in &sample {
            lengths.cmd("STRLEN").arg(key.as_slice());
        }
        // A key may have changed its type since.
        lengths.ignore_errors();
        let bytes: Vec<RedisResult<u64>> = self.walk_step(&lengths).await?;
        for (key, bytes) in sample.into_iter().zip(bytes) {
            let Ok(bytes) = bytes else { continue };
            if let Some(count) = cache_of(key).and_then(|cache| counts.get_mut(&cache)) {
                count.sampled += 1;
                count.sampled_bytes += bytes;
            }
        }
        Ok(())
    }
}

impl CacheCount {
    fn scaled(self, cache: String) -> L2Count {
        let bytes = (self.sampled_bytes * self.entries).checked_div(self.sampled);
        L2Count { cache, entries: self.entries, weight_bytes: bytes.unwrap_or(0) }
    }
}

/// Takes or extends the turn for this long.
fn hold(turn: &str, time: Duration) -> Cmd {
    let mut set = cmd("SET");
    set.arg(turn).arg(1).arg("PX").arg(millis(time).max(1));
    set
}
