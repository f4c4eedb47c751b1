use std::collections::HashMap;
use std::time::Duration;

use redis::{RedisResult, cmd, pipe};
use strata_report::RedisState;

use super::link::{Away, Link};
use super::step::Step;
use crate::pattern::escape;

const SCAN_COUNT: usize = 1_000;

/// A pause between two steps, so that counting never crowds out reads.
const PACE: Duration = Duration::from_millis(2);

/// The size of one key in so many is asked for.
const SAMPLED_ONE_IN: usize = 16;

/// What a census found of one cache.
#[derive(Default)]
struct Tally {
    entries: u64,
    sampled: u64,
    sampled_bytes: u64,
}

impl Link {
    /// Counts the keys of each cache of a namespace: name, entries, estimated bytes.
    pub(crate) async fn census(&self, namespace: &str) -> Result<Vec<(String, u64, u64)>, Away> {
        let prefix = format!("{{{namespace}}}:");
        let glob = format!("{}*", escape(&prefix));
        let mut tallies: HashMap<String, Tally> = HashMap::new();
        let mut cursor = 0;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&glob).arg("COUNT").arg(SCAN_COUNT);
            // Entries are strings; a hash or list of the same form has no STRLEN.
            scan.arg("TYPE").arg("string");
            let (next, keys): (u64, Vec<Vec<u8>>) = self
                .call_slow(Step::Inspect, |mut connection| async move {
                    scan.query_async(&mut connection).await
                })
                .await?;
            self.tally(&prefix, &keys, &mut tallies).await?;
            cursor = next;
            if cursor == 0 {
                break;
            }
            tokio::time::sleep(PACE).await;
        }
        Ok(tallies.into_iter().map(|(cache, tally)| tally.scaled(cache)).collect())
    }

    async fn tally(
        &self,
        prefix: &str,
        keys: &[Vec<u8>],
        tallies: &mut HashMap<String, Tally>,
    ) -> Result<(), Away> {
        let cache_of = |key: &[u8]| {
            let text = std::str::from_utf8(key).ok()?;
            text.strip_prefix(prefix)?.split_once(':').map(|(cache, _)| cache.to_owned())
        };
        for cache in keys.iter().filter_map(|key| cache_of(key)) {
            tallies.entry(cache).or_default().entries += 1;
        }
        let sample: Vec<&Vec<u8>> = keys.iter().step_by(SAMPLED_ONE_IN).collect();
        if sample.is_empty() {
            return Ok(());
        }
        let mut lengths = pipe();
        for key in &sample {
            lengths.cmd("STRLEN").arg(key.as_slice());
        }
        let bytes: Vec<u64> = self
            .call_slow(Step::Inspect, |mut connection| async move {
                lengths.query_async(&mut connection).await
            })
            .await?;
        for (key, bytes) in sample.into_iter().zip(bytes) {
            if let Some(tally) = cache_of(key).and_then(|cache| tallies.get_mut(&cache)) {
                tally.sampled += 1;
                tally.sampled_bytes += bytes;
            }
        }
        Ok(())
    }

    /// What Redis says of itself.
    pub(crate) async fn redis_state(&self) -> RedisState {
        let asked: Result<(String, String), Away> = self
            .call_slow(Step::Inspect, |mut connection| async move {
                let ask = pipe().cmd("INFO").arg("server").cmd("INFO").arg("memory").to_owned();
                let answer: RedisResult<(String, String)> = ask.query_async(&mut connection).await;
                answer
            })
            .await;
        let Ok((server, memory)) = asked else {
            return RedisState { configured: true, ..RedisState::default() };
        };
        let field = |text: &str, name: &str| {
            text.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned))
        };
        let number = |name: &str| field(&memory, name).and_then(|value| value.parse::<u64>().ok());
        RedisState {
            configured: true,
            up: true,
            version: field(&server, "redis_version:"),
            used_memory_bytes: number("used_memory:"),
            max_memory_bytes: number("maxmemory:").filter(|max| *max > 0),
            policy: field(&memory, "maxmemory_policy:"),
            counted_at_ms: None,
        }
    }
}

impl Tally {
    fn scaled(self, cache: String) -> (String, u64, u64) {
        let bytes = (self.sampled_bytes * self.entries).checked_div(self.sampled).unwrap_or(0);
        (cache, self.entries, bytes)
    }
}
