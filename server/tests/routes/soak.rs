//! What strangers may ask of a whole program, from several addresses. It takes about two minutes:
//! `cargo nextest run --workspace --exclude strata-hydrate --run-ignored only -E 'test(soak::)'`.

use std::time::{Duration, Instant};

use strata_server::ServingLimits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use crate::program::{address, get, strata};

const STUCK_READERS: usize = 2_000;
const HALF_REQUESTS: usize = 1_000;
const SOURCES: usize = 10;

/// The timers are 30 s; on a busy machine what they end may take longer to be ended.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(120);

/// A value of /metrics.
async fn metric(address: &str, name: &str) -> f64 {
    let text = get(address, "/metrics").await;
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap().parse().unwrap()
}

async fn connect(address: &str, n: usize) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2_048).unwrap();
    // Its own address, which no port of 127.0.0.1 is used up for.
    socket.bind(format!("127.0.0.{}:0", n % SOURCES + 2).parse().unwrap()).unwrap();
    socket.connect(address.parse().unwrap()).await.unwrap()
}

/// How long a health check takes.
async fn health_check(address: &str) -> Duration {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    began.elapsed()
}

async fn start(dir: &std::path::Path) -> (Child, String) {
    let mut program = strata(dir, &["--redis-url", "off"]);
    program.stderr(std::process::Stdio::null());
    let mut child = program.spawn().unwrap();
    let address = address(&mut child).await;
    (child, address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes minutes: the timers are those of the program"]
async fn readers_that_stop_and_half_requests_are_bounded_and_given_back() {
    // The test holds as many connections as the program: this raises its limit of descriptors.
    assert!(ServingLimits::default().max_connections > STUCK_READERS + HALF_REQUESTS);
    let dir = tempfile::tempdir().unwrap();
    let (mut child, address) = start(dir.path()).await;
    let descriptors = metric(&address, "process_open_fds").await;
    let mut held = Vec::new();
    for n in 0..STUCK_READERS {
        let mut stream = connect(&address, n).await;
        let asked = format!("GET /events HTTP/1.1\r\nhost: {address}\r\n\r\n");
        stream.write_all(asked.as_bytes()).await.unwrap();
        held.push(stream);
    }
    for n in 0..HALF_REQUESTS {
        let mut stream = connect(&address, n).await;
        // The program may have closed it for the sake of another.
        let _ = stream.write_all(b"GET / HTTP/1.1\r\n").await;
        held.push(stream);
    }
    let checks: Vec<_> = {
        let mut checks = Vec::new();
        for _ in 0..20 {
            checks.push(health_check(&address).await);
        }
        checks
    };
    let most = metric(&address, "strata_connections_max").await;
    assert!(metric(&address, "strata_connections").await <= most);
    let given_back = async {
        while metric(&address, "strata_event_streams").await > 0.0
            || metric(&address, "process_open_fds").await > descriptors + 10.0
        {
            sleep(Duration::from_secs(1)).await;
        }
    };
    timeout(GIVEN_BACK_WITHIN, given_back).await.expect("what strangers held is given back");
    let bytes = metric(&address, "process_resident_memory_bytes").await;
    eprintln!("slowest health check: {:?}; resident afterwards: {bytes}", checks.iter().max());
    let answer = get(&address, "/demo/users/1").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(held);
    child.kill().await.unwrap();
}
