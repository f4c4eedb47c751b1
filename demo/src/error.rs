use std::error::Error;
use std::sync::Arc;

use strata_cache::LoadError;

use crate::store::StoreError;

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
    #[error("ask the source")]
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

#[cfg(test)]
mod tests {
    use std::io;

    use strata_cache::ErrorChain;

    use super::*;

    fn query() -> StoreError {
        StoreError::Query(sqlx::Error::PoolTimedOut)
    }

    fn with_a_source() -> Vec<Box<dyn Error>> {
        vec![
            Box::new(DemoError::from(query())),
            Box::new(query()),
            Box::new(StoreError::Open(sqlx::Error::PoolClosed)),
            Box::new(StoreError::Dir(io::Error::other("it is read-only"))),
        ]
    }

    #[test]
    fn no_error_says_what_its_source_says() {
        strata_testing::no_error_repeats_its_source(&with_a_source());
    }

    #[test]
    fn what_people_are_told_says_why() {
        let said = ErrorChain(&DemoError::from(query())).to_string();
        assert!(said.starts_with("ask the source: query the database: pool timed out"), "{said}");
    }
}
