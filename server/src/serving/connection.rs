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
use strata_console::PeerPermit;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tower::Service;
use tracing::trace;

use super::accept::Serving;
use super::first_head::first_head;
use super::reserve::ReservePlace;
use super::stream::TimedStream;
use strata_dashboard::program::{AppError, HEALTH_PATHS, Placement, TimedBody};

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
    pub(super) placement: Placement,
}

impl Connection {
    /// The most that is read of a head, or kept of answers that the peer has not taken, in bytes.
    const MAX_BUFFER: usize = 64 * 1024;
    /// For a request in the reserve.
    const RESERVE_TIMEOUT: Duration = Duration::from_secs(5);

    /// Serves it until it ends, is no longer wanted, or the program has drained.
    pub(super) async fn run(self, stream: TcpStream, draining: CancellationToken) {
        let pushed_out = match &self.admission {
            Admission::Regular { .. } => CancellationToken::new(),
            Admission::Reserve(place) => place.ended.clone(),
        };
        tokio::select! {
            () = self.serve(stream, &draining) => {}
            () = pushed_out.cancelled() => {}
            () = self.serving.drained.cancelled() => {}
        }
    }

    async fn serve(&self, stream: TcpStream, draining: &CancellationToken) {
        let head = tokio::select! {
            head = first_head(&stream, Self::MAX_BUFFER, self.header_timeout()) => head,
            // Nothing was begun on it.
            () = draining.cancelled(), if self.is_regular() => return,
        };
        match head {
            Ok(head) => Box::pin(self.serve_requests(stream, head, draining)).await,
            Err(error) => trace!(peer = %self.peer, %error, "no request came on a connection"),
        }
    }

    async fn serve_requests(&self, stream: TcpStream, head: Vec<u8>, draining: &CancellationToken) {
        let io = TokioIo::new(TimedStream::new(stream, head, self.serving.limits.write_timeout));
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .max_buf_size(Self::MAX_BUFFER)
            .keep_alive(self.is_regular())
            .header_read_timeout(self.header_timeout());
        let service = service_fn(|request| self.answer(request));
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = draining.cancelled(), if self.is_regular() => {
                // Nothing was begun on it.
                if !self.is_used.load(Ordering::Relaxed) {
                    return;
                }
                connection.as_mut().graceful_shutdown();
                connection.as_mut().await
            }
        };
        if let Err(error) = ended {
            trace!(peer = %self.peer, %error, "a connection broke off");
        }
    }

    fn header_timeout(&self) -> Duration {
        let timeout = self.serving.limits.header_timeout;
        if self.is_regular() { timeout } else { timeout.min(Self::RESERVE_TIMEOUT) }
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
        request.extensions_mut().insert(self.placement.clone());
        self.router.clone().call(request).await
    }
}

fn refusal() -> Response<Body> {
    let detail = "Too many connections are open, or Strata is stopping; try later.";
    let error = AppError::unavailable("too-many-connections", detail);
    ([(header::RETRY_AFTER, "5")], error).into_response()
}
