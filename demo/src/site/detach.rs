use std::future::Future;
use std::sync::Arc;

use crate::error::DemoError;

/// Runs a write to its end even when the caller goes away between the commit and the caches.
pub(super) async fn detach<T: Send + 'static>(
    write: impl Future<Output = Result<T, DemoError>> + Send + 'static,
) -> Result<T, DemoError> {
    match tokio::spawn(write).await {
        Ok(result) => result,
        Err(error) => Err(DemoError::Source(Arc::new(error))),
    }
}
