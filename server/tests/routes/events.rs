use axum::body::{Body, BodyDataStream};
use axum::http::{Method, Response, header};
use futures::StreamExt;
use strata_report::{Frame, Snapshot};
use strata_server::ServingLimits;
use tokio::time::timeout;

use crate::support::{Answer, PATIENCE, from, request, start};

/// One event: its fields as they came.
#[derive(Debug)]
struct Event {
    name: String,
    id: u64,
    retry_ms: Option<u64>,
    data: String,
}

struct Events {
    body: BodyDataStream,
    read: String,
}

impl Events {
    fn of(response: Response<Body>) -> Self {
        Self { body: response.into_body().into_data_stream(), read: String::new() }
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((text, rest)) = self.read.split_once("\n\n") {
                let event = parse(text);
                self.read = rest.to_owned();
                return Some(event);
            }
            let chunk = timeout(PATIENCE, self.body.next()).await.unwrap()?;
            self.read.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        }
    }
}

fn parse(text: &str) -> Event {
    let field = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
    };
    Event {
        name: field("event").unwrap(),
        id: field("id").unwrap().parse().unwrap(),
        retry_ms: field("retry").map(|retry| retry.parse().unwrap()),
        data: field("data").unwrap(),
    }
}

fn stream() -> axum::http::Request<Body> {
    let asked = request(Method::GET, "/events").header(header::ACCEPT_ENCODING, "br, gzip");
    asked.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_stream_begins_with_everything_and_goes_on_with_frames() {
    let running = start(|_| {}).await;
    let response = running.respond(stream()).await;
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-cache, no-transform");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert!(!headers.contains_key("content-encoding"));
    let mut events = Events::of(response);
    let first = events.next().await.unwrap();
    assert_eq!(first.name, "snapshot");
    assert!((1_000..3_000).contains(&first.retry_ms.unwrap()));
    let snapshot: Snapshot = serde_json::from_str(&first.data).unwrap();
    assert_eq!(snapshot.frame.caches.len(), 4);
    let mut last = first.id;
    for _ in 0..2 {
        let next = events.next().await.unwrap();
        assert_eq!(next.name, "frame");
        let frame: Frame = serde_json::from_str(&next.data).unwrap();
        assert_eq!(frame.seq, next.id);
        assert!(frame.seq > last, "{} after {last}", frame.seq);
        last = frame.seq;
    }
}

#[tokio::test]
async fn a_stream_ends_when_the_program_stops() {
    let running = start(|_| {}).await;
    let mut events = Events::of(running.respond(stream()).await);
    assert_eq!(events.next().await.unwrap().name, "snapshot");
    running.shutdown.cancel();
    while events.next().await.is_some() {}
}

#[tokio::test]
async fn only_so_many_streams_may_be_open() {
    let limits = ServingLimits::for_descriptors(100_000);
    let running = start(|settings| settings.serving = limits).await;
    let mut open = Vec::new();
    let refused = loop {
        assert!(open.len() <= 2_000, "nothing limits the streams");
        // One address alone may not have all of them.
        let mut request = stream();
        let peer = from(&format!("127.0.0.{}:50000", open.len() % 100 + 1));
        request.extensions_mut().insert(peer);
        let response = running.respond(request).await;
        if !response.status().is_success() {
            break response;
        }
        open.push(response);
    };
    let (parts, body) = refused.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let answer = Answer { status: parts.status, headers: parts.headers, body };
    answer.is_problem(503, "too-many-streams");
    assert_eq!(open.len(), 1_024);
    drop(open.pop());
    assert!(running.respond(stream()).await.status().is_success(), "a closed one makes room");
}
