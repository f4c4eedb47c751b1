use strata_cache::{LoadError, Read};
use strata_report::Outcome;

use super::Level;
use crate::Item;

/// What a reader got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How the read ended.
    pub outcome: Outcome,
    /// The item's version; `None` where there is no item, or the read failed.
    pub version: Option<u64>,
}

impl Seen {
    pub(super) fn of(read: &Result<Read<Item>, LoadError>) -> Self {
        match read {
            Ok(read) => {
                let version = read.value.as_ref().map(|item| item.version);
                Self { outcome: read.outcome, version }
            }
            Err(_) => Self { outcome: Outcome::Failed, version: None },
        }
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
        let outcome = self.outcome.as_str();
        match self.version {
            Some(version) => format!("{outcome}, version {version}"),
            None => format!("{outcome}, no item"),
        }
    }
}
