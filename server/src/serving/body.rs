use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::ServingLimits;

/// A request's body that must come in time.
pub(super) struct TimedBody {
    body: Incoming,
    timeout: Duration,
    /// From the first wait for it on.
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
    n_bytes: u64,
}

/// The body did not come in time.
#[derive(Debug, thiserror::Error)]
#[error("the request's body did not come in time")]
pub(crate) struct BodyTimeout;

impl TimedBody {
    pub(super) fn new(body: Incoming, timeout: Duration) -> Self {
        Self { body, timeout, timer: None, n_bytes: 0 }
    }

    fn is_late(&mut self, cx: &mut Context<'_>) -> bool {
        let (began, timer) =
            self.timer.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(self.timeout))));
        let for_bytes = Duration::from_millis(self.n_bytes * 1_000 / ServingLimits::SLOWEST_BODY);
        let end = *began + self.timeout + for_bytes;
        if timer.deadline() != end {
            timer.as_mut().reset(end);
        }
        timer.as_mut().poll(cx).is_ready()
    }
}

impl Body for TimedBody {
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
    pub(crate) fn caused(error: &(dyn Error + 'static)) -> bool {
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
