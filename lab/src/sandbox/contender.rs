use serde::{Deserialize, Serialize};
use strata_report::Outcomes;

use crate::settings::Settings;
use crate::strategies::StrategyKind;
use crate::trace::Step;

/// One of those that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contender {
    /// Its name on a screen.
    pub title: String,
    /// What it does.
    pub strategy: StrategyKind,
    /// What it does it with.
    pub settings: Settings,
}

/// One contender's turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContenderRun {
    /// The contender's name.
    pub title: String,
    /// What it does.
    pub strategy: StrategyKind,
    /// What it does it with.
    pub settings: Settings,
    /// What it came to, so far.
    pub result: ResultRow,
    /// What happened, step by step, so far.
    pub steps: Vec<Step>,
    /// Whether it came to its end.
    pub is_over: bool,
}

/// What one run came to; the same columns for every contender.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ResultRow {
    /// Reads by outcome; they add up to the reads.
    pub outcomes: Outcomes,
    /// How often the database was asked for an item, or for several at once.
    pub queries: u64,
    /// How many transactions the database was asked for.
    pub updates: u64,
    /// Half of the reads took no longer, nanoseconds; `None` without reads.
    pub p50_ns: Option<u64>,
    /// All but one in a hundred reads took no longer, nanoseconds; `None` without reads.
    pub p99_ns: Option<u64>,
    /// Reads that began after a newer version was acknowledged than the one they answered.
    pub stale_reads: u64,
    /// Items shown to a caller who may not see them.
    pub leaked: u64,
    /// Writes acknowledged.
    pub acknowledged: u64,
    /// Writes refused, of which the writer knows.
    pub refused: u64,
    /// Writes acknowledged that the database never got.
    pub lost_writes: u64,
    /// About as many bytes as the items in L1 take as it ends, all nodes together.
    pub l1_bytes: u64,
    /// Of entries loaded at once, the most that expire within the same second; `None` where the
    /// script does not look.
    #[serde(rename = "wave")]
    pub expiry_peak: Option<u64>,
    /// How long it all took, milliseconds.
    pub took_ms: u64,
}
