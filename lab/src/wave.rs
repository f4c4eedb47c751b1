use std::collections::HashMap;

use tokio::time::Instant;

use super::trace::{Level, TraceLine};
use super::{PlayError, Stage};

impl Stage {
    /// Reads every item on a node, and counts how many of them would expire within the same second,
    /// had all been loaded at once. That depends on the times to live that the entries were given,
    /// and not on how fast the machine is.
    ///
    /// # Errors
    /// When the stage is stopped or the node was killed.
    pub async fn wave(&self, node: usize) -> Result<(), PlayError> {
        let started = Instant::now();
        let mut expiring: HashMap<u64, u64> = HashMap::new();
        for id in 1..=self.settings.items {
            if let Some(time_to_live) = self.read(node, id).await?.time_to_live {
                *expiring.entry(time_to_live.as_secs()).or_default() += 1;
            }
        }
        let wave = expiring.into_values().max().unwrap_or(0);
        self.tally.wave(wave);
        let told = format!("{wave} of {} entries expire within one second", self.settings.items);
        self.trace.push(TraceLine::of(Level::L1, Some(node), told, started));
        Ok(())
    }
}
