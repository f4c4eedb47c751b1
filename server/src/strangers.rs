//! Requests of strangers take turns, so that drawing pages for many of them leaves the processors
//! to reads of the service.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use strata_console::Actor;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::AppError;
use crate::guard::HEALTH_PATHS;
use crate::serving::{Full, PeerLimit};

/// What costs next to nothing, has limits of its own, or is the service itself.
const FREE: [&str; 5] = ["/demo/", "/pkg/", "/events", "/favicon.svg", "/robots.txt"];

/// The looks that the console makes in turn. They wait there, and not here as well.
const LOOKS: [&str; 5] = ["/keys", "/plans", "/agreement", "/dead-letters", "/nodes"];

/// Draws a page again, which may be a look too.
const DRAW: &str = "/api/strata/draw";

/// The requests of strangers that are under way.
#[derive(Clone)]
pub(crate) struct Strangers {
    begun: Arc<PeerLimit>,
    turns: Arc<Semaphore>,
    /// Of their own, so that one that is a look holds up no other page.
    draws: Arc<Semaphore>,
}

impl Strangers {
    /// Requests that run or wait, in all and of each peer; more are refused at once, in few words.
    const MAX: usize = 64;
    const MAX_OF_PEER: usize = 8;

    /// Requests that run at the same time.
    const AT_ONCE: usize = 2;

    /// So long a request waits for its turn.
    const PATIENCE: Duration = Duration::from_secs(10);
}

impl Default for Strangers {
    fn default() -> Self {
        let begun = PeerLimit::new(Self::MAX, Self::MAX_OF_PEER);
        let at_once = || Arc::new(Semaphore::new(Self::AT_ONCE));
        Self { begun, turns: at_once(), draws: at_once() }
    }
}

/// Answers a stranger in turn, and anybody else at once.
pub(crate) async fn take_turns(
    State(strangers): State<Strangers>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let stranger = request.extensions().get::<Actor>().filter(|actor| actor.is_stranger());
    let Some(stranger) = stranger.filter(|_| !is_free(path)) else {
        return next.run(request).await;
    };
    let _begun = match strangers.begun.open(stranger.address) {
        Ok(begun) => begun,
        Err(full) => return refusal(full).into_response(),
    };
    if LOOKS.iter().any(|look| path.contains(look)) {
        return next.run(request).await;
    }
    let turns = if path == DRAW { &strangers.draws } else { &strangers.turns };
    match timeout(Strangers::PATIENCE, turns.acquire()).await {
        Ok(_turn) => next.run(request).await,
        Err(_) => refusal(Full::All).into_response(),
    }
}

fn is_free(path: &str) -> bool {
    HEALTH_PATHS.contains(&path) || FREE.iter().any(|free| path.starts_with(free))
}

fn refusal(full: Full) -> AppError {
    AppError::busy(match full {
        Full::All => "Too many requests are under way. Try again in 5 s.",
        Full::Peer => "Too many requests of yours are under way. Try again in 5 s.",
    })
}
