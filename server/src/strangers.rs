//! Requests of strangers take turns, so that drawing pages for many of them leaves the processors
//! to reads of the service.

mod request_kind;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use strata_console::Actor;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::AppError;
use crate::limits::{MAX_BODY_BYTES, read_whole};
use crate::low_priority;
use crate::routes::lab::TRACES_PATH;
use crate::serving::{Full, PeerLimit};
use request_kind::RequestKind;

/// The requests of strangers that are under way.
#[derive(Clone)]
pub(crate) struct Strangers {
    /// All but scrapes.
    begun: Arc<PeerLimit>,
    pages: Arc<Semaphore>,
    /// Of their own, so that pages that are shown stay up to date.
    draws: Arc<Semaphore>,
    /// Of their own, since a look may wait and run for long.
    looks: Queue,
    /// Of their own, so that strangers' pages never hide the numbers.
    scrapes: Queue,
}

#[derive(Clone)]
struct Queue {
    /// Those that wait or run.
    begun: Arc<PeerLimit>,
    /// Those that run.
    turns: Arc<Semaphore>,
}

impl Strangers {
    /// Requests that run or wait, in all and of each peer; more are refused at once, in few words.
    const MAX: [usize; 2] = [128, 32];
    /// Looks among them. The console takes no more either.
    const MAX_LOOKS: [usize; 2] = [64, 8];
    const MAX_SCRAPES: [usize; 2] = [10, 5];

    /// Requests of one kind that run at the same time.
    const AT_ONCE: usize = 2;

    /// So long a request waits for its turn.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Answers a request in its turn.
    async fn answer(
        &self,
        (address, kind): (Option<IpAddr>, RequestKind),
        request: Request,
        next: Next,
    ) -> Result<Response, AppError> {
        if kind == RequestKind::Metrics {
            let _begun = self.scrapes.begun.open(address).map_err(refusal)?;
            return in_turn(&self.scrapes.turns, next.run(request)).await;
        }
        let _begun = self.begun.open(address).map_err(refusal)?;
        // A body that comes slowly keeps nobody else waiting. A trace is read as it is kept.
        let request = match request.uri().path() {
            TRACES_PATH => request,
            _ => read_whole(request).await?,
        };
        let (kind, request) = match kind {
            RequestKind::Draw => of_drawing(request).await?,
            kind => (kind, request),
        };
        let is_look = matches!(kind, RequestKind::Look | RequestKind::LookPage);
        let look = is_look.then(|| self.looks.begun.open(address)).transpose();
        let _look = look.map_err(refusal)?;
        let answer = low_priority::run(next.run(request));
        match kind {
            RequestKind::LookPage => in_turn(&self.looks.turns, answer).await,
            RequestKind::Draw => in_turn(&self.draws, answer).await,
            RequestKind::Page => in_turn(&self.pages, answer).await,
            // A look waits in the console, and not here as well.
            RequestKind::Look | RequestKind::Metrics | RequestKind::Free => Ok(answer.await),
        }
    }
}

impl Default for Strangers {
    fn default() -> Self {
        let [max, of_peer] = Self::MAX;
        let at_once = || Arc::new(Semaphore::new(Self::AT_ONCE));
        Self {
            begun: PeerLimit::new(max, of_peer),
            pages: at_once(),
            draws: at_once(),
            looks: Queue::new(Self::MAX_LOOKS),
            scrapes: Queue::new(Self::MAX_SCRAPES),
        }
    }
}

impl Queue {
    fn new([max, of_peer]: [usize; 2]) -> Self {
        let turns = Arc::new(Semaphore::new(Strangers::AT_ONCE));
        Self { begun: PeerLimit::new(max, of_peer), turns }
    }
}

/// Answers a stranger in turn, and anybody else at once.
pub(crate) async fn take_turns(
    State(strangers): State<Strangers>,
    request: Request,
    next: Next,
) -> Response {
    let stranger = request.extensions().get::<Actor>().filter(|actor| actor.is_anonymous());
    let Some(address) = stranger.map(|stranger| stranger.address) else {
        return next.run(request).await;
    };
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    match RequestKind::of(request.uri(), route) {
        RequestKind::Free => next.run(request).await,
        kind => strangers.answer((address, kind), request, next).await.into_response(),
    }
}

async fn in_turn(
    turns: &Semaphore,
    answer: impl Future<Output = Response>,
) -> Result<Response, AppError> {
    match timeout(Strangers::PATIENCE, turns.acquire()).await {
        Ok(_turn) => Ok(answer.await),
        Err(_) => Err(refusal(Full::All)),
    }
}

/// What a page that is drawn again asks for, and the request as it was.
async fn of_drawing(request: Request) -> Result<(RequestKind, Request), AppError> {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY_BYTES).await else {
        return Err(AppError::too_large(MAX_BODY_BYTES));
    };
    let copy = Request::from_parts(parts.clone(), Body::from(bytes.clone()));
    let kind = RequestKind::of_drawing(copy).await;
    Ok((kind, Request::from_parts(parts, Body::from(bytes))))
}

fn refusal(full: Full) -> AppError {
    AppError::busy(match full {
        Full::All => "Too many requests are under way. Try again in 5 s.",
        Full::Peer => "Too many requests of yours are under way. Try again in 5 s.",
    })
}
