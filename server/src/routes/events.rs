use std::convert::Infallible;
use std::future::ready;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream, StreamExt};
use serde::Serialize;
use strata_app::{SessionCookie, build_id};
use strata_console::{Origin, Tick};
use strata_report::Snapshot;
use tokio::sync::watch;

use crate::error::AppError;
use crate::origin::cookie_value;
use crate::serving::{Full, PeerPermit};
use crate::state::AppState;

const KEEP_ALIVE: Duration = Duration::from_secs(15);
const SHORTEST_RETRY: Duration = Duration::from_secs(1);

type Ticks = watch::Receiver<std::sync::Arc<Tick>>;

/// The live stream: first everything as `snapshot`, then a `frame` each second. Every frame is
/// complete in itself, so a client that reads slowly skips some and loses nothing.
pub(crate) async fn events(
    State(state): State<AppState>,
    Extension(cookie): Extension<SessionCookie>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
) -> Result<Response, AppError> {
    let permit = state.streams.open(origin.address).map_err(refusal)?;
    let mut ticks = state.console.subscribe();
    ticks.mark_unchanged();
    let snapshot = state.console.snapshot();
    let first = First { build: build_id(&state.leptos), snapshot: &snapshot };
    let first = stream::once(ready(first.event()));
    let shutdown = state.shutdown.clone().cancelled_owned();
    let session = cookie_value(&headers, &cookie.name).map(str::to_owned);
    let console = state.console.clone();
    // Who logs out sees no more of it. A token, or none, does not end.
    let session = session.filter(|session| console.access().goes_on(session));
    let goes_on = move || session.as_ref().is_none_or(|one| console.access().goes_on(one));
    let frames = frames(ticks, permit).take_while(move |_| ready(goes_on()));
    let events = first.chain(frames).take_until(shutdown);
    let headers = [
        (header::CACHE_CONTROL, "no-cache, no-transform"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok((headers, events).into_response())
}

fn refusal(full: Full) -> AppError {
    let detail = match full {
        Full::All => "Too many live streams are open; try later.",
        Full::Peer => "Too many live streams are open from your address; close some.",
    };
    AppError::unavailable("too-many-streams", detail)
}

/// What a stream begins with. The build stands first, where a page's script looks for it.
#[derive(Serialize)]
struct First<'a> {
    build: &'a str,
    #[serde(flatten)]
    snapshot: &'a Snapshot,
}

impl First<'_> {
    fn event(&self) -> Result<Event, Infallible> {
        // Numbers, strings and lists always become JSON.
        let data = serde_json::to_string(self).unwrap_or_default();
        let id = self.snapshot.frame.seq.to_string();
        Ok(Event::default().event("snapshot").id(id).retry(retry()).data(data))
    }
}

fn frames(ticks: Ticks, permit: PeerPermit) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((ticks, permit), async |(mut ticks, permit)| {
        ticks.changed().await.ok()?;
        let tick = ticks.borrow_and_update().clone();
        let id = tick.frame.seq.to_string();
        let event = Event::default().event("frame").id(id).data(&tick.json);
        Some((Ok(event), (ticks, permit)))
    })
}

// Clients that lost the same server must not all come back in the same instant.
fn retry() -> Duration {
    let spread_ms = RandomState::new().hash_one(()) % 2_000;
    SHORTEST_RETRY + Duration::from_millis(spread_ms)
}
