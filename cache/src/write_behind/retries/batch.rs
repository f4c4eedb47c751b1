use tokio::time::Instant;

/// A row that failed this often right after the sink took others is certainly at fault.
const STRONG: u32 = 2;

/// Rows that are sent together.
pub(in crate::write_behind) struct Batch<T> {
    pub(in crate::write_behind) receipts: Vec<T>,
    /// How often they were sent, and failed.
    pub(in crate::write_behind) sent: u32,
    /// The number of calls that the sink had taken when these rows were taken, or last failed.
    pub(super) seen: u64,
    /// How often they failed although the sink had taken others.
    pub(super) evidence: u32,
    /// How often a row failed alone, and how often of these it was the row's own fault.
    pub(super) alone: u32,
    pub(super) faults: u32,
    pub(super) id: u64,
    /// The batch that it is a half of. If the other half failed too, this one may be innocent.
    pub(super) half_of: Option<u64>,
    pub(super) is_cleared: bool,
    pub(super) due: Instant,
    pub(super) failing_since_ms: Option<u64>,
}

impl<T> Batch<T> {
    /// Whether it is a row that others need not wait for.
    pub(super) fn is_at_fault(&self) -> bool {
        self.alone > 0 && self.evidence >= STRONG
    }

    pub(super) fn risk(&self) -> (bool, usize) {
        (self.is_at_fault(), self.receipts.len())
    }

    /// Whether a row at fault may be among them, or none of them has failed.
    pub(super) fn stays_apart(&self) -> bool {
        self.evidence > 0 || self.failing_since_ms.is_none()
    }

    /// Its history without its rows.
    pub(super) fn empty(&self) -> Self {
        Self { receipts: Vec::new(), ..*self }
    }

    /// The merged history of two batches. The evidence against them no longer counts.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            sent: self.sent.max(other.sent),
            seen: self.seen.min(other.seen),
            evidence: 0,
            alone: 0,
            faults: 0,
            half_of: None,
            is_cleared: false,
            due: Instant::now(),
            failing_since_ms: self.failing_since_ms.min(other.failing_since_ms),
            ..self
        }
    }
}
