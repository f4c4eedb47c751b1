use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Row;
use crate::ErrorChain;
use crate::face::Later;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Write<K, V> = dyn Fn(Vec<Row<K, V>>) -> Later<Result<(), BoxError>> + Send + Sync;

/// Brings rows to the source.
pub(super) struct Sink<K, V> {
    write: Arc<Write<K, V>>,
    timeout: Duration,
}

impl<K: Send + 'static, V: Send + 'static> Sink<K, V> {
    pub(super) fn new<F, Fut, E>(write: F, timeout: Duration) -> Self
    where
        F: Fn(Vec<Row<K, V>>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let write = move |rows| {
            let writing = write(rows);
            let writing: Later<_> = Box::pin(async move { writing.await.map_err(Into::into) });
            writing
        };
        Self { write: Arc::new(write), timeout }
    }

    /// One call, on a task of its own, so that a panic is a failure like any other. The call is
    /// dropped when its time is over, and when the flusher is.
    pub(super) async fn call(&self, rows: Vec<Row<K, V>>) -> Result<(), String> {
        let write = Arc::clone(&self.write);
        let mut call = JoinSet::new();
        call.spawn(async move { write(rows).await });
        match tokio::time::timeout(self.timeout, call.join_next()).await {
            Ok(Some(Ok(answer))) => answer.map_err(|error| ErrorChain(&*error).to_string()),
            Ok(Some(Err(_)) | None) => Err("it panicked".to_owned()),
            Err(_) => Err("it did not answer in time".to_owned()),
        }
    }
}
