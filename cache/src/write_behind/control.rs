use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How a write-behind's handle and its flusher speak to each other.
#[derive(Default)]
pub(super) struct Control {
    /// Ends the flusher's pause: a batch is full.
    pub(super) wake: Notify,
    /// No write is taken any more; what is there is being drained.
    pub(super) closing: CancellationToken,
    /// The flusher stops where it is.
    pub(super) killed: CancellationToken,
    /// The flusher has stopped.
    pub(super) ended: CancellationToken,
}
