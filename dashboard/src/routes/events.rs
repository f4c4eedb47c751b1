mod ending;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};
use serde::Deserialize;
use strata_app::build_id;
use strata_console::{Full, Origin, Peer, PeerPermit, Tick};
use tokio::sync::watch;
use tokio::time::timeout;

use self::ending::{application_asked_again, session_ended};
use crate::access::OwnSession;
use crate::http::AppError;
use crate::http::extract::Query;
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

/// What the reader of a stream says of itself.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Reader {
    /// The build of whose streams it has read one just now, and so has everything.
    resume: String,
    /// Whether it opens the next stream at once where this one ends by `renew`.
    renew: bool,
}

/// The live stream: first everything as `snapshot`, then a `frame` each second. Every frame is
/// complete in itself, so a client that reads slowly skips some and loses nothing. It ends within
/// seconds of the session with which it was opened; in an application by `renew`, so that the
/// application is asked again who reads. The snapshot is left out for a reader that goes on after a
/// stream of this build; one that comes from another build learns so of the new one.
pub(crate) async fn events(
    State(state): State<AppState>,
    Extension(origin): Extension<Origin>,
    session: Option<Extension<OwnSession>>,
    reader: Result<Query<Reader>, AppError>,
) -> Response {
    let permit = match state.streams.open(origin.address.map(Peer::at)) {
        Ok(permit) => permit,
        // Who reads no stream holds no connection either.
        Err(full) => return ([(header::CONNECTION, "close")], refusal(full)).into_response(),
    };
    let mut ticks = state.console.subscribe();
    ticks.mark_unchanged();
    let Query(reader) = reader.unwrap_or(Query(Reader::default()));
    let build = build_id(state.files);
    let first =
        (reader.resume != build).then(|| snapshot(state.snapshots.newest(build, &state.console)));
    let session = session.map(|Extension(session)| session);
    let frames = frames(ticks, permit)
        .take_until(application_asked_again(state.access_rechecked_every, &reader))
        .chain(stream::iter(state.access_rechecked_every.map(|_| Event::renewal())));
    let events = stream::iter(first)
        .chain(frames)
        .take_until(session_ended(state.console.clone(), session))
        .take_until(state.shutdown.clone().cancelled_owned());
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
    SHORTEST_RETRY + Duration::from_millis(below(2_000))
}

/// A number by chance.
fn below(end: u64) -> u64 {
    RandomState::new().hash_one(()) % end
}
