use std::collections::HashMap;
use std::time::Duration;

use redis::{RedisResult, cmd, pipe};
use strata_report::RedisState;

use super::failed::Failed;
use super::link::Link;
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
    pub(crate) async fn census(&self, namespace: &str) -> Result<Vec<(String, u64, u64)>, Failed> {
        let prefix = format!("{{{namespace}}}:");
        let glob = format!("{}*", escape(&prefix));
        let mut tallies: HashMap<String, Tally> = HashMap::new();
        let mut cursor = 0;
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&glob).arg("COUNT").arg(SCAN_COUNT);
            // Entries are strings; a hash or list of the same form has no STRLEN.
            scan.arg("TYPE").arg("string");
            let (next, keys): (u64, Vec<Vec<u8>>) = self.walk_step(&scan).await?;
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
    ) -> Result<(), Failed> {
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
        // A key may have become another type since.
        lengths.ignore_errors();
        let bytes: Vec<RedisResult<u64>> = self.walk_step(&lengths).await?;
        for (key, bytes) in sample.into_iter().zip(bytes) {
            let Ok(bytes) = bytes else { continue };
            if let Some(tally) = cache_of(key).and_then(|cache| tallies.get_mut(&cache)) {
                tally.sampled += 1;
                tally.sampled_bytes += bytes;
            }
        }
        Ok(())
    }

    /// What Redis says of itself. Where it may not be asked for more than its version, it says no
    /// more.
    pub(crate) async fn redis_state(&self) -> RedisState {
        let configured = RedisState { configured: true, ..RedisState::default() };
        let asked = self.inspect::<String>(cmd("INFO").arg("memory")).await;
        let memory = match asked {
            Ok(memory) => memory,
            Err(Failed::Refused(_)) => String::new(),
            Err(Failed::Away) => return configured,
        };
        let field =
            |name: &str| memory.lines().find_map(|line| line.strip_prefix(name).map(str::to_owned));
        let number = |name: &str| field(name).and_then(|value| value.parse::<u64>().ok());
        RedisState {
            up: true,
            version: self.state().server.clone().map(|server| server.version),
            used_memory_bytes: number("used_memory:"),
            max_memory_bytes: number("maxmemory:").filter(|max| *max > 0),
            policy: field("maxmemory_policy:"),
            ..configured
        }
    }
}

impl Tally {
    fn scaled(self, cache: String) -> (String, u64, u64) {
        let bytes = (self.sampled_bytes * self.entries).checked_div(self.sampled).unwrap_or(0);
        (cache, self.entries, bytes)
    }
}
