use serde::{Deserialize, Serialize};
use strata_report::Outcomes;

/// What one performance came to; the same columns for every contender.
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
    pub wave: Option<u64>,
    /// How long it all took, milliseconds.
    pub took_ms: u64,
}
