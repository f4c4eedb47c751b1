use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response, header};
use axum::response::IntoResponse;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::Service;
use tracing::trace;

use super::accept::Serving;
use super::body::TimedBody;
use super::peers::PeerPermit;
use super::reserve::ReservePlace;
use super::stream::TimedStream;
use crate::error::AppError;
use crate::guard::HEALTH_PATHS;

/// What a connection may be used for, until it is dropped.
pub(super) enum Admission {
    /// Everything.
    Regular { _permit: PeerPermit },
    /// Health checks alone; once.
    Reserve(ReservePlace),
}

/// One connection.
pub(super) struct Connection {
    pub(super) serving: Arc<Serving>,
    pub(super) router: Router,
    pub(super) peer: SocketAddr,
    pub(super) admission: Admission,
    /// Whether a request has come on it.
    pub(super) is_used: AtomicBool,
}

impl Connection {
    /// The most that is read of a head, or kept of answers that the peer has not taken, in bytes.
    const MAX_BUFFER: usize = 64 * 1024;
    /// For a request in the reserve.
    const RESERVE_TIMEOUT: Duration = Duration::from_secs(5);

    /// Serves it until it ends, is no longer wanted, or the program has drained.
    pub(super) async fn run(self, stream: TcpStream, draining: CancellationToken) {
        let limits = &self.serving.limits;
        let io = TokioIo::new(TimedStream::new(stream, limits.write_timeout));
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).max_buf_size(Self::MAX_BUFFER);
        let mut pushed_out = CancellationToken::new();
        match &self.admission {
            Admission::Regular { .. } => builder.header_read_timeout(limits.header_timeout),
            Admission::Reserve(place) => {
                pushed_out = place.ended.clone();
                let timeout = limits.header_timeout.min(Self::RESERVE_TIMEOUT);
                builder.keep_alive(false).header_read_timeout(timeout)
            }
        };
        let service = service_fn(|request| self.answer(request));
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = pushed_out.cancelled() => return,
            () = self.serving.drained.cancelled() => return,
            () = draining.cancelled(), if self.is_regular() => {
                // Nothing was begun on it.
                if !self.is_used.load(Ordering::Relaxed) {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = self.serving.drained.cancelled() => return,
                }
            }
        };
        if let Err(error) = ended {
            trace!(peer = %self.peer, %error, "a connection broke off");
        }
    }

    fn is_regular(&self) -> bool {
        matches!(self.admission, Admission::Regular { .. })
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        self.is_used.store(true, Ordering::Relaxed);
        if !self.is_regular() && !HEALTH_PATHS.contains(&request.uri().path()) {
            return Ok(refusal());
        }
        let timeout = self.serving.limits.body_timeout;
        let mut request = request.map(|body| Body::new(TimedBody::new(body, timeout)));
        request.extensions_mut().insert(ConnectInfo(self.peer));
        self.router.clone().call(request).await
    }
}

fn refusal() -> Response<Body> {
    let detail = "Too many connections are open, or Strata is stopping; try later.";
    let error = AppError::unavailable("too-many-connections", detail);
    ([(header::RETRY_AFTER, "5")], error).into_response()
}
