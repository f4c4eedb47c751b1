use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::AppError;

/// The most that a request body may hold.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

/// Bytes a second that a body which takes longer than its timeout must keep up.
const SLOWEST_BODY: u64 = 64 * 1024;

/// Refuses a body that is too large: at once where it says so, else as soon as it is.
pub(crate) async fn check_body_size(request: Request, next: Next) -> Response {
    match read_whole(request).await {
        Ok(request) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// The request with its body in memory: so little is read whole before anybody looks at it.
pub(crate) async fn read_whole(request: Request) -> Result<Request, AppError> {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let bytes = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if bytes.is_some_and(|bytes| bytes > MAX_BODY_BYTES as u64) {
        return Err(AppError::too_large(MAX_BODY_BYTES));
    }
    let (parts, body) = request.into_parts();
    match to_bytes(body, MAX_BODY_BYTES).await {
        Ok(body) => Ok(Request::from_parts(parts, Body::from(body))),
        Err(error) if error.source().is_some_and(|why| why.is::<LengthLimitError>()) => {
            Err(AppError::too_large(MAX_BODY_BYTES))
        }
        Err(error) if BodyTimeout::caused(&error) => {
            let detail = "The request's body did not come in time.";
            Err(AppError::new(StatusCode::REQUEST_TIMEOUT, "slow-body", detail))
        }
        Err(_) => Err(AppError::bad_request("broken-body", "The request's body broke off.")),
    }
}

/// A request's body that must come in time.
pub struct TimedBody {
    body: Incoming,
    timeout: Duration,
    /// From the first wait for it on.
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
    n_bytes: u64,
}

/// The body did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("the request's body did not come in time")]
struct BodyTimeout;

impl TimedBody {
    /// A body that has so much time, and a second more for each 64 KiB that have come.
    pub fn new(body: Incoming, timeout: Duration) -> Self {
        Self { body, timeout, timer: None, n_bytes: 0 }
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let (began, timer) =
            self.timer.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(self.timeout))));
        let for_bytes = Duration::from_millis(self.n_bytes * 1_000 / SLOWEST_BODY);
        let end = *began + self.timeout + for_bytes;
        if timer.deadline() != end {
            timer.as_mut().reset(end);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(frame) => {
                if let Some(Ok(frame)) = &frame {
                    self.n_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
            }
            Poll::Pending if self.is_late(cx) => Poll::Ready(Some(Err(BodyTimeout.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl BodyTimeout {
    /// Whether that is what an error comes from.
    fn caused(error: &(dyn Error + 'static)) -> bool {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<Self>() {
                return true;
            }
            cause = error.source();
        }
        false
    }
}
