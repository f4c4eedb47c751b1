use strata_cache::{StructureError, WriteError};

use crate::SourceError;

/// Why a write was not acknowledged.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The database did not take it.
    #[error("write to the source")]
    Source(#[from] SourceError),
    /// The write-behind did not take it.
    #[error(transparent)]
    Queue(#[from] WriteError),
    /// Redis did not answer.
    #[error("remove keys from Redis")]
    Redis(#[from] StructureError),
}
