//! Connections: their timers, their number, and their end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use strata_server::{ServingLimits, Settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{PATIENCE, Running, start};

const SOON: Duration = Duration::from_millis(300);

/// A demo that listens.
struct Served {
    running: Arc<Running>,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

async fn serve(change: impl FnOnce(&mut ServingLimits)) -> Served {
    serve_with(|settings| change(&mut settings.serving)).await
}

async fn serve_with(change: impl FnOnce(&mut Settings)) -> Served {
    let running = Arc::new(start(change).await);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = Arc::clone(&running);
    let serving = tokio::spawn(async move { served.demo.serve(listener).await });
    Served { running, address, serving }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn connect_from(&self, peer: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{peer}:0").parse().unwrap()).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// A connection that holds half a request, once the program has it.
    async fn half_a_request(&self) -> TcpStream {
        let mut stream = self.connect().await;
        send(&mut stream, "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:3000\r\n\r\n").await;
        answer(&mut stream).await;
        send(&mut stream, "GET / HTTP/1.1\r\n").await;
        stream
    }

    async fn get(&self, path: &str) -> String {
        ask(self.connect().await, path).await
    }
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

async fn ask(mut stream: TcpStream, path: &str) -> String {
    let head = format!("GET {path} HTTP/1.1\r\nhost: 127.0.0.1:3000\r\nconnection: close\r\n\r\n");
    send(&mut stream, &head).await;
    until_closed(&mut stream).await
}

/// What comes until the program closes the connection.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is reset is closed as well.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

/// One answer that has come in part at least.
async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 16 * 1024];
    let n = timeout(PATIENCE, stream.read(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8(bytes[..n].to_vec()).unwrap()
}

async fn open_stream(stream: &mut TcpStream) -> String {
    send(stream, "GET /events HTTP/1.1\r\nhost: 127.0.0.1:3000\r\n\r\n").await;
    answer(stream).await
}

#[tokio::test]
async fn half_a_request_holds_a_connection_no_longer_than_headers_may_take() {
    let served = serve(|limits| limits.header_timeout = SOON).await;
    let mut fresh = served.connect().await;
    send(&mut fresh, "GET / HTTP/1.1\r\n").await;
    until_closed(&mut fresh).await;
    let mut used = served.half_a_request().await;
    until_closed(&mut used).await;
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let served = serve(|limits| limits.header_timeout = SOON).await;
    until_closed(&mut served.connect().await).await;
    let mut used = served.connect().await;
    send(&mut used, "GET /healthz HTTP/1.1\r\nhost: 127.0.0.1:3000\r\n\r\n").await;
    let said = until_closed(&mut used).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
}

#[tokio::test]
async fn half_a_body_is_refused_when_its_time_is_over() {
    let served = serve(|limits| limits.body_timeout = SOON).await;
    let mut stream = served.connect().await;
    let head = "POST /api/v1/caches/users/plans HTTP/1.1\r\nhost: 127.0.0.1:3000\r\n\
                content-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    send(&mut stream, head).await;
    let said = until_closed(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("urn:strata:problem:slow-body"), "{said}");
}

#[tokio::test]
async fn one_address_cannot_take_the_connections_of_others() {
    let served = serve(|limits| limits.max_connections_per_peer = 2).await;
    let held = [served.half_a_request().await, served.half_a_request().await];
    let refused = served.get("/api/v1/session").await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.contains("urn:strata:problem:too-many-connections"), "{refused}");
    let other = ask(served.connect_from("127.0.0.2").await, "/api/v1/session").await;
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
    drop(held);
    let room = async { while !served.get("/api/v1/session").await.starts_with("HTTP/1.1 200") {} };
    timeout(PATIENCE, room).await.expect("connections that ended make room");
}

#[tokio::test]
async fn a_trusted_proxy_may_have_the_connections_of_many() {
    let served = serve_with(|settings| {
        settings.serving.max_connections_per_peer = 1;
        settings.trusted_proxies = vec!["127.0.0.9".parse().unwrap()];
    })
    .await;
    let _held = served.half_a_request().await;
    let refused = served.get("/api/v1/session").await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    let _one = served.connect_from("127.0.0.9").await;
    let other = ask(served.connect_from("127.0.0.9").await, "/api/v1/session").await;
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
}

#[tokio::test]
async fn health_checks_are_answered_however_many_hold_connections() {
    let served = serve(|limits| limits.max_connections = 4).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(served.half_a_request().await);
    }
    // More than the reserve holds.
    for _ in 0..100 {
        let mut stream = served.connect().await;
        send(&mut stream, "GET / HTTP/1.1\r\n").await;
        held.push(stream);
    }
    for path in ["/healthz", "/readyz"] {
        let said = served.get(path).await;
        assert!(said.starts_with("HTTP/1.1 200"), "{path}: {said}");
    }
    let refused = served.get("/demo/users/1").await;
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
}

#[tokio::test]
async fn a_stream_whose_reader_takes_nothing_ends_and_makes_room() {
    let served = serve(|limits| {
        limits.max_streams = 1;
        limits.write_timeout = SOON;
    })
    .await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    let mut stuck = socket.connect(served.address).await.unwrap();
    send(&mut stuck, "GET /events HTTP/1.1\r\nhost: 127.0.0.1:3000\r\n\r\n").await;
    let opened = async {
        while served.running.demo.n_streams() == 0 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, opened).await.unwrap();
    let room = async {
        while !open_stream(&mut served.connect().await).await.starts_with("HTTP/1.1 200") {}
    };
    timeout(PATIENCE, room).await.expect("the stream of who reads nothing does not end");
}

#[tokio::test]
async fn a_stream_that_is_read_outlives_every_timer() {
    let served = serve(|limits| {
        limits.header_timeout = SOON;
        limits.body_timeout = SOON;
        limits.write_timeout = SOON;
    })
    .await;
    let mut stream = served.connect().await;
    let mut said = open_stream(&mut stream).await;
    while said.matches("event: frame").count() < 3 {
        let more = answer(&mut stream).await;
        assert!(!more.is_empty(), "the stream ended: {said}");
        said.push_str(&more);
    }
}

#[tokio::test]
async fn streams_are_bounded_for_each_address() {
    let served = serve(|limits| limits.max_streams_per_peer = 1).await;
    let mut first = served.connect().await;
    assert!(open_stream(&mut first).await.starts_with("HTTP/1.1 200"));
    let refused = open_stream(&mut served.connect().await).await;
    assert!(refused.contains("urn:strata:problem:too-many-streams"), "{refused}");
    let other = open_stream(&mut served.connect_from("127.0.0.2").await).await;
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");
}

#[tokio::test]
async fn while_it_stops_begun_requests_end_and_it_says_that_it_is_not_ready() {
    let served = serve(|limits| limits.drain_timeout = PATIENCE).await;
    let mut begun = served.connect().await;
    let head = "POST /api/v1/caches/users/plans HTTP/1.1\r\nhost: 127.0.0.1:3000\r\n\
                content-type: application/json\r\ncontent-length: 15\r\n\
                expect: 100-continue\r\n\r\n";
    send(&mut begun, head).await;
    assert!(answer(&mut begun).await.starts_with("HTTP/1.1 100"));
    let half = served.connect().await;
    served.running.shutdown.cancel();
    let ready = served.get("/readyz").await;
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(ready.contains(r#""stopping":true"#), "{ready}");
    assert!(served.get("/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(served.get("/api/v1/session").await.starts_with("HTTP/1.1 503"));
    send(&mut begun, r#"{"pattern":"*"}"#).await;
    let said = until_closed(&mut begun).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    timeout(PATIENCE, served.serving).await.expect("it has drained").unwrap();
    drop(half);
}

#[tokio::test]
async fn who_reads_nothing_holds_up_a_stop_no_longer_than_draining_may_take() {
    let served = serve(|limits| limits.drain_timeout = SOON).await;
    let half = served.half_a_request().await;
    served.running.shutdown.cancel();
    timeout(PATIENCE, served.serving).await.expect("it has drained").unwrap();
    drop(half);
}
