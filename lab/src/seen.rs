use std::time::Duration;

use strata_cache::{LoadError, Read};
use strata_demo::Item;
use strata_report::Outcome;

use super::Level;

/// What a reader got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How the read ended.
    pub outcome: Outcome,
    /// The item's version; `None` where there is no item, or the read failed.
    pub version: Option<u64>,
    /// The time to live that the entry was given; `None` where nothing is cached.
    pub time_to_live: Option<Duration>,
}

impl Seen {
    pub(super) fn of(read: &Result<Read<Item>, LoadError>) -> Self {
        match read {
            Ok(read) => {
                let version = read.value.as_ref().map(|item| item.version);
                let time_to_live = read.expires_in.map(|left| read.age + left);
                Self { outcome: read.outcome, version, time_to_live }
            }
            Err(_) => Self { outcome: Outcome::Failed, version: None, time_to_live: None },
        }
    }

    /// Whether it is an answer, and an older one than this; "no item" is older than any.
    pub(super) fn is_older_than(self, version: u64) -> bool {
        self.level() != Level::Nowhere && self.version.unwrap_or(0) < version
    }

    pub(super) fn level(self) -> Level {
        match self.outcome {
            Outcome::L1Hit | Outcome::Stale => Level::L1,
            Outcome::L2Hit => Level::L2,
            Outcome::Loaded | Outcome::Coalesced | Outcome::Bypassed => Level::Source,
            Outcome::Missed | Outcome::Failed => Level::Nowhere,
        }
    }

    pub(super) fn told(self) -> String {
        let outcome = match self.outcome {
            Outcome::L1Hit => "L1 hit",
            Outcome::L2Hit => "L2 hit",
            other => other.as_str(),
        };
        match self.version {
            Some(version) => format!("{outcome}, version {version}"),
            None => format!("{outcome}, no item"),
        }
    }
}
