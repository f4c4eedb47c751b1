use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use strata_app::BasePath;
use strata_console::{Actor, Full, Peer, PeerBounds, PeerLimit};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::request_kind::RequestKind;
use crate::http::{AppError, MAX_BODY_BYTES, TRACES_PATH, read_whole, route_of};
use crate::threads::{Placement, low_priority};

/// The anonymous requests that are under way. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct AnonymousTurns {
    /// All but scrapes.
    begun: Arc<PeerLimit>,
    pages: Arc<Semaphore>,
    /// Of their own, so that pages that are shown stay up to date.
    draws: Arc<Semaphore>,
    /// Of their own, since a look may wait and run for long.
    looks: Queue,
    /// Of their own, so that anonymous pages never hide the numbers.
    scrapes: Queue,
}

#[derive(Clone)]
struct Queue {
    /// Those that wait or run.
    begun: Arc<PeerLimit>,
    /// Those that run.
    turns: Arc<Semaphore>,
}

impl AnonymousTurns {
    /// Requests that run or wait, in all and of each peer; more are refused at once, in few words.
    const MAX: PeerBounds = PeerBounds { total: 128, per_peer: 32 };
    /// Looks among them. The console takes no more either.
    const MAX_LOOKS: PeerBounds = PeerBounds { total: 64, per_peer: 8 };
    const MAX_SCRAPES: PeerBounds = PeerBounds { total: 10, per_peer: 5 };

    /// Requests of one kind that run at the same time.
    const AT_ONCE: usize = 2;

    /// How long a request waits for its turn.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Answers a request in its turn.
    async fn answer(
        &self,
        (peer, kind): (Option<Peer>, RequestKind),
        request: Request,
        next: Next,
    ) -> Result<Response, AppError> {
        if kind == RequestKind::Metrics {
            let _begun = self.scrapes.begun.open(peer).map_err(refusal)?;
            return in_turn(&self.scrapes.turns, next.run(request)).await;
        }
        let _begun = self.begun.open(peer.clone()).map_err(refusal)?;
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
        let look = is_look.then(|| self.looks.begun.open(peer)).transpose();
        let _look = look.map_err(refusal)?;
        // On other threads nothing else says below what path it is answered.
        let answer = BasePath::of_request().scope(next.run(request));
        let answer = low_priority::run(answer);
        match kind {
            RequestKind::LookPage => in_turn(&self.looks.turns, answer).await,
            RequestKind::Draw => in_turn(&self.draws, answer).await,
            RequestKind::Page => in_turn(&self.pages, answer).await,
            // A look waits in the console, and not here as well.
            RequestKind::Look | RequestKind::Metrics | RequestKind::Free => Ok(answer.await),
        }
    }
}

impl Default for AnonymousTurns {
    fn default() -> Self {
        let at_once = || Arc::new(Semaphore::new(Self::AT_ONCE));
        Self {
            begun: PeerLimit::new(Self::MAX),
            pages: at_once(),
            draws: at_once(),
            looks: Queue::new(Self::MAX_LOOKS),
            scrapes: Queue::new(Self::MAX_SCRAPES),
        }
    }
}

impl Queue {
    fn new(bounds: PeerBounds) -> Self {
        let turns = Arc::new(Semaphore::new(AnonymousTurns::AT_ONCE));
        Self { begun: PeerLimit::new(bounds), turns }
    }
}

/// Answers an anonymous request in turn, and any other at once.
pub(crate) async fn take_turns(
    State(turns): State<AnonymousTurns>,
    request: Request,
    next: Next,
) -> Response {
    let extensions = request.extensions();
    let placement = extensions.get::<Placement>().cloned().unwrap_or_default();
    let anonymous = extensions.get::<Actor>().filter(|actor| actor.is_anonymous());
    let route = route_of(extensions);
    let asked =
        anonymous.map(|who| (who.address.map(Peer::at), RequestKind::of(request.uri(), route)));
    let asked = asked.filter(|(_, kind)| *kind != RequestKind::Free);
    match &asked {
        Some((_, RequestKind::Metrics)) | None => placement.go_first().await,
        Some(_) => placement.give_way(),
    }
    match asked {
        Some(asked) => turns.answer(asked, request, next).await.into_response(),
        None => next.run(request).await,
    }
}

async fn in_turn(
    turns: &Semaphore,
    answer: impl Future<Output = Response>,
) -> Result<Response, AppError> {
    match timeout(AnonymousTurns::PATIENCE, turns.acquire()).await {
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
