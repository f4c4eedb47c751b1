use std::convert::Infallible;
use std::time::Duration;

use strata_cache::{BuildError, Cache, Node};
use strata_report::Outcome;

use super::{Recording, lru};

/// Which share of a recording's requests L1s of several sizes answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// One for each size, from the smallest.
    pub points: Vec<CurvePoint>,
    /// What no cache can surpass: each key must be loaded once. From 0 to 1.
    pub ceiling: f64,
}

/// What an L1 of one size answered. Shares are from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// Its size, in percent of the keys.
    pub percent: u32,
    /// Its size, entries.
    pub entries: u64,
    /// What a real L1 answered.
    pub l1: f64,
    /// What an exact LRU would have answered.
    pub lru: f64,
}

const PERCENTS: [u32; 6] = [1, 2, 5, 10, 20, 50];
/// Between two turns of others on this thread.
const REQUESTS_A_TURN: usize = 256;
/// Longer than any measurement takes.
const TIME_TO_LIVE: Duration = Duration::from_secs(3_600);

impl Curve {
    /// Feeds the whole recording to real L1s, one size after the other. What they turn away is not
    /// the same each time, so the shares differ a little from one measurement to the next.
    ///
    /// # Errors
    /// Where no cache can be built.
    pub async fn measure(recording: &Recording) -> Result<Self, BuildError> {
        let Recording { requests, n_keys, .. } = recording;
        let mut sizes = PERCENTS
            .map(|percent| (percent, (u64::from(*n_keys) * u64::from(percent)).div_ceil(100)))
            .to_vec();
        sizes.dedup_by_key(|(_, entries)| *entries);
        let capacities: Vec<u64> = sizes.iter().map(|(_, entries)| *entries).collect();
        let lru_hits = lru::hits(requests, *n_keys, &capacities);
        let share = |hits: u64| hits as f64 / requests.len().max(1) as f64;
        let mut points = Vec::new();
        for ((percent, entries), lru_hits) in sizes.into_iter().zip(lru_hits) {
            let l1 = share(l1_hits(requests, entries).await?);
            points.push(CurvePoint { percent, entries, l1, lru: share(lru_hits) });
        }
        let ceiling = share(requests.len() as u64 - u64::from(*n_keys));
        Ok(Self { points, ceiling })
    }
}

async fn l1_hits(requests: &[u32], entries: u64) -> Result<u64, BuildError> {
    let node = Node::builder("lab-sizes").id("1").start().await?;
    let builder = Cache::<u32, ()>::builder("sizes").l1_entries(entries).l1_only().jitter(0.0);
    let cache = builder.time_to_live(TIME_TO_LIVE).build(&node)?;
    let mut hits = 0;
    for some in requests.chunks(REQUESTS_A_TURN) {
        for key in some {
            let read = cache.get_or_load(key, || async { Ok::<_, Infallible>(Some(())) }).await;
            hits += u64::from(read.is_ok_and(|read| read.outcome == Outcome::L1Hit));
        }
        tokio::task::yield_now().await;
    }
    node.shutdown();
    Ok(hits)
}
