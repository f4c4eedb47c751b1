use std::error::Error;
use std::sync::Arc;

use strata_cache::LoadError;

use crate::StoreError;

/// Why the demo service did not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DemoError {
    /// There is no such thing, or the caller must not know of it.
    #[error("find what was asked for")]
    NotFound,
    /// The caller may not do this.
    #[error("allow this to the caller")]
    Forbidden,
    /// The request makes no sense; the text says why, as a sentence for the caller.
    #[error("accept the request: {0}")]
    Invalid(String),
    /// The row has changed since the caller read it, or its unique value is taken.
    #[error("write: {0}")]
    Conflict(String),
    /// The source failed or timed out.
    #[error("ask the source: {0}")]
    Source(#[source] Arc<dyn Error + Send + Sync>),
}

impl From<StoreError> for DemoError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing => Self::NotFound,
            StoreError::Outdated | StoreError::Taken => Self::Conflict(error.to_string()),
            other => Self::Source(Arc::new(other)),
        }
    }
}

impl From<LoadError> for DemoError {
    fn from(error: LoadError) -> Self {
        Self::Source(Arc::new(error))
    }
}
