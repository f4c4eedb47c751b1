use std::convert::Infallible;
use std::future::ready;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};
use strata_app::{SessionCookie, build_id};
use strata_console::{Full, Origin, Peer, PeerPermit, Tick};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::http::{AppError, cookie_value};
use crate::state::AppState;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const SHORTEST_RETRY: Duration = Duration::from_secs(1);

type Ticks = watch::Receiver<Arc<Tick>>;

/// One event. Its data are those of every stream: a reader that takes nothing holds no copy.
struct Event {
    head: String,
    data: Arc<str>,
}

/// Text that is shared, as bytes.
struct Shared(Arc<str>);

/// The live stream: first everything as `snapshot`, then a `frame` each second. Every frame is
/// complete in itself, so a client that reads slowly skips some and loses nothing.
pub(crate) async fn events(
    State(state): State<AppState>,
    Extension(cookie): Extension<SessionCookie>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Response {
    let permit = match state.streams.open(origin.address.map(Peer::at)) {
        Ok(permit) => permit,
        // Who reads no stream holds no connection either.
        Err(full) => return ([(header::CONNECTION, "close")], refusal(full)).into_response(),
    };
    let mut ticks = state.console.subscribe();
    ticks.mark_unchanged();
    let newest = state.snapshots.newest(build_id(state.files), &state.console);
    let first = stream::once(ready(snapshot(newest)));
    let shutdown = state.shutdown.clone().cancelled_owned();
    let session = cookie_value(&headers, &cookie.name).map(str::to_owned);
    let console = state.console.clone();
    // Who logs out sees no more of it. A token, or none, does not end.
    let session = session.filter(|session| console.access().goes_on(session));
    let goes_on = move || session.as_ref().is_none_or(|one| console.access().goes_on(one));
    let frames = frames(ticks, permit).take_while(move |_| ready(goes_on()));
    let events = first.chain(frames).take_until(shutdown);
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let written = events.flat_map(|event| stream::iter(event.written()).map(Ok::<_, Infallible>));
    (headers, Body::from_stream(written)).into_response()
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
