use std::convert::Infallible;
use std::future::pending;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use strata_app::{SessionCookie, build_id};
use strata_console::{Console, Full, Origin, Peer, PeerPermit, Tick};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::http::extract::Query;
use crate::http::{AppError, cookie_value};
use crate::state::AppState;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const SHORTEST_RETRY: Duration = Duration::from_secs(1);

/// How often a stream asks whether its session has ended.
const SESSION_ASKED: Duration = Duration::from_secs(1);

/// How long a stream goes on in an application, which alone knows who has logged out there. It is
/// asked about the next stream.
const UNTIL_ASKED_AGAIN: Duration = Duration::from_secs(5);

type Ticks = watch::Receiver<Arc<Tick>>;

/// One event. Its data are those of every stream: a reader that takes nothing holds no copy.
struct Event {
    head: String,
    data: Arc<str>,
}

/// Text that is shared, as bytes.
struct Shared(Arc<str>);

/// How a stream begins.
#[derive(Deserialize)]
pub(crate) struct Beginning {
    /// Without everything, since the reader has it of the stream before.
    #[serde(default)]
    resume: bool,
}

/// The live stream: first everything as `snapshot`, then a `frame` each second. Every frame is
/// complete in itself, so a client that reads slowly skips some and loses nothing. It ends within
/// seconds of the session with which it was opened; in an application by `renew`, so that the
/// application is asked again who reads.
pub(crate) async fn events(
    State(state): State<AppState>,
    Extension(cookie): Extension<SessionCookie>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    beginning: Result<Query<Beginning>, AppError>,
) -> Response {
    let permit = match state.streams.open(origin.address.map(Peer::at)) {
        Ok(permit) => permit,
        // Who reads no stream holds no connection either.
        Err(full) => return ([(header::CONNECTION, "close")], refusal(full)).into_response(),
    };
    let mut ticks = state.console.subscribe();
    ticks.mark_unchanged();
    let first = match beginning {
        Ok(Query(Beginning { resume: true })) => None,
        _ => Some(snapshot(state.snapshots.newest(build_id(state.files), &state.console))),
    };
    let access = state.console.access();
    let session = cookie_value(&headers, &cookie.name).filter(|session| access.goes_on(session));
    let session = session.map(str::to_owned);
    let is_mounted = state.application.is_some();
    let frames = frames(ticks, permit)
        .take_until(lasts(is_mounted))
        .chain(stream::iter(is_mounted.then(Event::renewal)))
        .take_until(logged_out(state.console.clone(), session));
    let shutdown = state.shutdown.clone().cancelled_owned();
    let events = stream::iter(first).chain(frames).take_until(shutdown);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let written = events.flat_map(|event| stream::iter(event.written()).map(Ok::<_, Infallible>));
    (headers, Body::from_stream(written)).into_response()
}

/// Ends when the application is to be asked again, where there is one.
async fn lasts(is_mounted: bool) {
    match is_mounted {
        true => sleep(UNTIL_ASKED_AGAIN).await,
        false => pending().await,
    }
}

/// Ends with the session. A token, or none, does not end.
async fn logged_out(console: Console, session: Option<String>) {
    let Some(session) = session else { return pending().await };
    while console.access().goes_on(&session) {
        sleep(SESSION_ASKED).await;
    }
}

fn refusal(full: Full) -> AppError {
    let detail = match full {
        Full::All => "Too many live streams are open; try later.",
        Full::Peer => "Too many live streams are open from your address; close some.",
    };
    AppError::unavailable("too-many-streams", detail)
}

fn snapshot((seq, data): (u64, Arc<str>)) -> Event {
    let retry_ms = retry().as_millis();
    Event { head: format!("event: snapshot\nid: {seq}\nretry: {retry_ms}\n"), data }
}

fn frames(ticks: Ticks, permit: PeerPermit) -> impl Stream<Item = Event> {
    stream::unfold((ticks, permit), async |(mut ticks, permit)| {
        let Ok(changed) = timeout(KEEP_ALIVE, ticks.changed()).await else {
            return Some((Event::nothing(), (ticks, permit)));
        };
        changed.ok()?;
        let tick = ticks.borrow_and_update().clone();
        let head = format!("event: frame\nid: {}\n", tick.frame.seq);
        let event = Event { head, data: Arc::clone(&tick.json) };
        Some((event, (ticks, permit)))
    })
}

impl Event {
    /// The last one of a stream after which another one goes on.
    fn renewal() -> Self {
        Self { head: "event: renew\n".to_owned(), data: Arc::from("{}") }
    }

    /// A comment, which keeps proxies from taking the stream for dead.
    fn nothing() -> Self {
        Self { head: ":\n".to_owned(), data: Arc::from("") }
    }

    /// The parts of the event. JSON on one line is one line of data.
    fn written(self) -> Vec<Bytes> {
        if self.data.is_empty() {
            return vec![Bytes::from(self.head + "\n")];
        }
        let data = Bytes::from_owner(Shared(self.data));
        vec![Bytes::from(self.head + "data: "), data, Bytes::from_static(b"\n\n")]
    }
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

// Clients that lost the same server must not all come back in the same instant.
fn retry() -> Duration {
    let spread_ms = RandomState::new().hash_one(()) % 2_000;
    SHORTEST_RETRY + Duration::from_millis(spread_ms)
}
