use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What an experiment runs with. All counts are of one run, that is for each strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The same seed makes the same requests.
    pub seed: u64,
    /// Copies of the service, each with an L1 of its own.
    pub nodes: usize,
    /// How many ask at once.
    pub readers: usize,
    /// Reads and writes together.
    pub requests: u64,
    /// Rows of the table.
    pub items: u64,
    /// The size of a row's text, bytes.
    pub item_bytes: usize,
    /// How much the popular rows are preferred: 0 not at all, 1 as on the web.
    pub skew: f64,
    /// The share of requests that change a row, from 0 to 1.
    pub write_share: f64,
    /// What L1 holds at most, entries.
    pub l1_entries: u64,
    /// What L1 holds at most, bytes; 0 counts entries instead.
    pub l1_bytes: u64,
    /// Time to live in L1, milliseconds.
    pub time_to_live_ms: u64,
    /// After so long without a read an entry leaves L1, milliseconds; 0 is never.
    pub time_to_idle_ms: u64,
    /// Time to live of a "not found", milliseconds; 0 remembers none.
    pub negative_time_to_live_ms: u64,
    /// The share of its time to live by which an entry may expire earlier, from 0 to 1.
    pub jitter: f64,
    /// For so long after its time to live an entry stands in where the database fails,
    /// milliseconds; 0 is never.
    pub grace_ms: u64,
    /// How eagerly entries are loaded anew before they expire; 0 is never, 1 as in the paper.
    pub refresh_ahead: f64,
    /// Time to live in L2, milliseconds.
    pub l2_time_to_live_ms: u64,
    /// How much longer each query takes, milliseconds.
    pub source_delay_ms: u64,
    /// As long as a node waits for an answer of Redis, milliseconds.
    pub l2_timeout_ms: u64,
    /// How often a write-behind writes, milliseconds.
    pub flush_every_ms: u64,
}

/// Why settings were refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// A number is out of range.
    #[error("use {value} for {name}: it must be from {from} to {to}")]
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// What was asked for.
        value: f64,
        /// The least that is possible.
        from: f64,
        /// The most that is possible.
        to: f64,
    },
    /// There is no such setting.
    #[error("find a setting named {0:?}")]
    Unknown(String),
    /// What was given cannot be its value.
    #[error("use {text:?} for {name}: it must be {kind}")]
    Unreadable {
        /// The setting.
        name: String,
        /// What was given.
        text: String,
        /// What it has to be.
        kind: &'static str,
    },
    /// Rows and their size together.
    #[error("make a table of {0} bytes: at most {max} are possible", max = Settings::MAX_TABLE_BYTES)]
    Table(u64),
    /// Requests, readers and the delay together.
    #[error(
        "wait {0:?} for the database alone: at most {max:?} are possible; \
         make fewer requests, a shorter delay or more readers",
        max = Settings::MAX_WAIT
    )]
    TooSlow(Duration),
}

impl Settings {
    /// The most requests of one run.
    pub const MAX_REQUESTS: u64 = 20_000;
    /// The most rows of a table.
    pub const MAX_ITEMS: u64 = 10_000;
    /// The largest table, bytes of text.
    pub const MAX_TABLE_BYTES: u64 = 3 * 1_024 * 1_024;
    /// As long as one run may wait for the database, were nothing cached.
    pub const MAX_WAIT: Duration = Duration::from_secs(6);

    /// Whether an experiment can run with these.
    ///
    /// # Errors
    /// The first setting that makes none possible.
    pub fn check(&self) -> Result<(), SettingsError> {
        within("nodes", self.nodes as f64, 1.0..=5.0)?;
        within("readers", self.readers as f64, 1.0..=200.0)?;
        within("requests", self.requests as f64, 0.0..=Self::MAX_REQUESTS as f64)?;
        within("items", self.items as f64, 1.0..=Self::MAX_ITEMS as f64)?;
        within("item_bytes", self.item_bytes as f64, 0.0..=16_384.0)?;
        within("skew", self.skew, 0.0..=3.0)?;
        within("write_share", self.write_share, 0.0..=1.0)?;
        within("l1_entries", self.l1_entries as f64, 0.0..=10_000.0)?;
        within("l1_bytes", self.l1_bytes as f64, 0.0..=64.0 * 1_024.0 * 1_024.0)?;
        within("time_to_idle_ms", self.time_to_idle_ms as f64, 0.0..=600_000.0)?;
        let negative = self.negative_time_to_live_ms as f64;
        within("negative_time_to_live_ms", negative, 0.0..=600_000.0)?;
        within("jitter", self.jitter, 0.0..=1.0)?;
        within("grace_ms", self.grace_ms as f64, 0.0..=600_000.0)?;
        within("refresh_ahead", self.refresh_ahead, 0.0..=1_000.0)?;
        within("time_to_live_ms", self.time_to_live_ms as f64, 0.0..=600_000.0)?;
        within("l2_time_to_live_ms", self.l2_time_to_live_ms as f64, 0.0..=600_000.0)?;
        within("source_delay_ms", self.source_delay_ms as f64, 0.0..=1_000.0)?;
        within("l2_timeout_ms", self.l2_timeout_ms as f64, 100.0..=10_000.0)?;
        within("flush_every_ms", self.flush_every_ms as f64, 1.0..=10_000.0)?;
        let bytes = self.items * self.item_bytes as u64;
        if bytes > Self::MAX_TABLE_BYTES {
            return Err(SettingsError::Table(bytes));
        }
        let rounds = self.requests.div_ceil(self.readers as u64);
        let wait = Duration::from_millis(rounds * self.source_delay_ms);
        if wait > Self::MAX_WAIT { Err(SettingsError::TooSlow(wait)) } else { Ok(()) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            nodes: 1,
            readers: 1,
            requests: 200,
            items: 50,
            item_bytes: 200,
            skew: 1.0,
            write_share: 0.0,
            l1_entries: 1_000,
            l1_bytes: 0,
            // Nothing expires while a person going step by step thinks.
            time_to_live_ms: 600_000,
            time_to_idle_ms: 0,
            negative_time_to_live_ms: 10_000,
            jitter: 0.0,
            grace_ms: 0,
            refresh_ahead: 0.0,
            l2_time_to_live_ms: 600_000,
            source_delay_ms: 1,
            // Many experiments share few processors: a shorter one would tell of the machine alone.
            l2_timeout_ms: 10_000,
            flush_every_ms: 100,
        }
    }
}

// Also refuses what is no number.
fn within(name: &'static str, value: f64, range: RangeInclusive<f64>) -> Result<(), SettingsError> {
    if range.contains(&value) {
        return Ok(());
    }
    let (from, to) = range.into_inner();
    Err(SettingsError::OutOfRange { name, value, from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(settings: Settings) -> String {
        settings.check().map_err(|error| error.to_string()).expect_err("it is refused")
    }

    #[test]
    fn the_defaults_can_run() {
        assert_eq!(Settings::default().check(), Ok(()));
    }

    #[test]
    fn what_is_refused_says_what_would_do() {
        let settings = Settings { nodes: 6, ..Settings::default() };
        assert_eq!(refused(settings), "use 6 for nodes: it must be from 1 to 5");
        let settings = Settings { skew: f64::NAN, ..Settings::default() };
        assert_eq!(refused(settings), "use NaN for skew: it must be from 0 to 3");
        let settings = Settings { items: 10_000, item_bytes: 16_384, ..Settings::default() };
        assert_eq!(
            refused(settings),
            "make a table of 163840000 bytes: at most 3145728 are possible"
        );
        let settings = Settings { requests: 20_000, source_delay_ms: 1, ..Settings::default() };
        assert_eq!(
            refused(settings),
            "wait 20s for the database alone: at most 6s are possible; make fewer requests, \
             a shorter delay or more readers"
        );
    }

    #[test]
    fn unknown_settings_are_refused_and_missing_ones_have_defaults() {
        let parsed: Settings = serde_json::from_str(r#"{"nodes": 2}"#).expect("it is read");
        assert_eq!(parsed, Settings { nodes: 2, ..Settings::default() });
        assert!(serde_json::from_str::<Settings>(r#"{"knots": 2}"#).is_err());
    }
}
