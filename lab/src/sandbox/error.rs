use strata_cache::BuildError;
use strata_demo::StoreError;

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It was stopped by hand, or abandoned.
    #[error("go on: the experiment was stopped")]
    Stopped,
    /// It took too long.
    #[error("end in time: the experiment was stopped")]
    TookTooLong,
    /// Every node was killed.
    #[error("ask a node: all were killed")]
    NodesDown,
    /// A node took too long to apply an invalidation.
    #[error("hear of an invalidation in time")]
    NotHeard,
    /// A node does not trust Redis again for too long.
    #[error("reach Redis again in time")]
    StillAway,
    /// Nothing lies between the nodes and Redis that could be cut.
    #[error("cut Redis off: it is not there, or nothing can be put between")]
    NoProxy,
    /// A node or cache could not be built.
    #[error("prepare the experiment")]
    Build(#[from] BuildError),
    /// The strategy makes no sense without Redis.
    #[error("prepare the experiment: this strategy needs Redis")]
    NeedsRedis,
    /// The table could not be made or read.
    #[error("keep the table")]
    Table(#[from] StoreError),
    /// A mistake of ours.
    #[error("go on: the script panicked")]
    Panicked,
}
