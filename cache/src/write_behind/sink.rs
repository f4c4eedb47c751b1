use std::error::Error;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::row::Row;
use crate::error::ErrorChain;
use crate::user_code::BoxFuture;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

type Write<K, V> = dyn Fn(Vec<Row<K, V>>) -> BoxFuture<'static, Result<(), BoxError>> + Send + Sync;

/// The greatest length of a stored error, in bytes.
const MAX_ERROR: usize = 1_000;

/// How many sources of an error are followed.
const MAX_SOURCES: usize = 16;

/// An error of a sink that no later try can fix. The sink returns it directly, or as a source of
/// another error. If the row was sent alone, it becomes a dead letter at once. Otherwise each row
/// of the batch is tried separately.
///
/// ```
/// # use strata_cache::{PermanentFailure, Row};
/// # fn is_valid(_: &str) -> bool { true }
/// async fn sink(rows: Vec<Row<u64, String>>) -> Result<(), PermanentFailure> {
///     match rows.iter().find(|row| !is_valid(&row.value)) {
///         Some(row) => Err(PermanentFailure(format!("{} has no valid name", row.key))),
///         None => Ok(()),
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PermanentFailure(
    /// The reason, for people to read.
    pub String,
);

/// The result of a call of the sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SinkResult {
    Taken,
    /// A later try may succeed.
    Failed(String),
    /// No later try can succeed.
    Refused(String),
}

/// Sends rows to the source.
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
            let writing: BoxFuture<'static, _> =
                Box::pin(async move { writing.await.map_err(Into::into) });
            writing
        };
        Self { write: Arc::new(write), timeout }
    }

    /// Makes one call, in a task of its own, so that a panic is a failure like any other. The call
    /// is dropped when its time is over, and when the flusher is dropped.
    pub(super) async fn call(&self, rows: Vec<Row<K, V>>) -> SinkResult {
        let write = Arc::clone(&self.write);
        let mut call = JoinSet::new();
        // The error's own code runs there too.
        call.spawn(async move {
            write(rows).await.map_or_else(|error| read(&*error), |()| SinkResult::Taken)
        });
        match tokio::time::timeout(self.timeout, call.join_next()).await {
            Ok(Some(Ok(answer))) => answer,
            Ok(Some(Err(_)) | None) => SinkResult::Failed("it panicked".to_owned()),
            Err(_) => SinkResult::Failed("it did not answer in time".to_owned()),
        }
    }
}

fn read(error: &(dyn Error + 'static)) -> SinkResult {
    let mut text = ErrorChain(error).to_string();
    text.truncate(text.floor_char_boundary(MAX_ERROR));
    let chain = std::iter::successors(Some(error), |error| inner(*error));
    match chain.take(MAX_SOURCES).any(|error| error.is::<PermanentFailure>()) {
        true => SinkResult::Refused(text),
        false => SinkResult::Failed(text),
    }
}

/// The source of an error. An I/O error does not report the error it wraps as its source.
fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("write: {0}")]
    struct Wrapped(#[source] PermanentFailure);

    #[test]
    fn a_permanent_failure_is_known_wherever_it_stands() {
        let never = PermanentFailure("no".to_owned());
        assert_eq!(read(&never), SinkResult::Refused("no".to_owned()));
        assert_eq!(read(&Wrapped(never)), SinkResult::Refused("write: no".to_owned()));
        let wrapped = io::Error::other(PermanentFailure("no".to_owned()));
        assert_eq!(read(&wrapped), SinkResult::Refused("no".to_owned()));
        let other = io::Error::other("é".repeat(MAX_ERROR));
        assert_eq!(read(&other), SinkResult::Failed("é".repeat(MAX_ERROR / 2)));
    }
}
