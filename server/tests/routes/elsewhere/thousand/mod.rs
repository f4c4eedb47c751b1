//! A dashboard over a thousand nodes of ten caches each: what it costs, and what it costs the nodes'
//! Redis. It takes minutes and measures, so `./dev test long` runs it alone, with
//! `STRATA_SOAK_PROGRAM`, the absolute path of a release program:
//! `cargo nextest run --workspace --exclude strata-browser --run-ignored only -E 'test(thousand::)'`.
//! Without a release program it prints the times and asserts the bytes alone.

mod fleet;
mod usage;

use std::env;
use std::time::Duration;

use strata_testing::RedisServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

use self::fleet::FleetProcess;
use self::usage::{resident_mb, shares_of_a_core};
use super::{Dashboard, OPERATOR};

const NAMESPACE: &str = "shop";

/// Where another number of nodes is to be tried.
const NODES: &str = "STRATA_FLEET_NODES";

/// The program that is measured, where it is a release build.
const PROGRAM: &str = "STRATA_SOAK_PROGRAM";

/// What a dashboard may cost: percent of a core, the time to the first byte of a page, and the bytes
/// of a frame.
const LARGEST_SHARE: f64 = 25.0;
const LONGEST_WAIT: Duration = Duration::from_millis(100);
const LARGEST_FRAME: usize = 20_000;

/// How long each share of a core is measured.
const MEASURED_FOR: Duration = Duration::from_secs(20);

/// What has just begun is not measured.
const SETTLES_WITHIN: Duration = Duration::from_secs(15);

const PAGES: usize = 20;
const FRAMES: usize = 10;

/// The time to the first byte of a page, and the bytes of the page.
async fn first_byte(address: &str, path: &str) -> (Duration, usize) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = format!("GET {path} HTTP/1.0\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1];
    stream.read_exact(&mut answer).await.unwrap();
    let took = began.elapsed();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200") || answer.starts_with(b"HTTP/1.0 200"));
    (took, answer.len())
}

/// The bytes of each of the next frames.
async fn frame_bytes(address: &str, path: &str) -> Vec<usize> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = format!("GET {path} HTTP/1.0\r\nhost: {address}\r\n\r\n");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    let mut some = vec![0; 64 * 1_024];
    loop {
        let text = String::from_utf8_lossy(&read);
        let frames: Vec<usize> = text
            .split("\n\n")
            .filter(|event| event.contains("event: frame\n"))
            .filter_map(|event| event.split_once("data: ").map(|(_, data)| data.len()))
            .collect();
        // The last one may not be whole.
        if frames.len() > FRAMES {
            return frames[..FRAMES].to_vec();
        }
        let n = timeout(Duration::from_secs(60), stream.read(&mut some)).await.unwrap().unwrap();
        assert!(n > 0, "the stream ended");
        read.extend_from_slice(&some[..n]);
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures for minutes; ./dev test long"]
async fn a_thousand_nodes_cost_a_quarter_of_a_core_100_ms_to_the_first_byte_and_20_kb_a_frame() {
    let nodes = env::var(NODES).map_or(1_000, |nodes| nodes.parse().unwrap());
    let redis = RedisServer::start_on_a_port(&["--maxclients", "9000"]).await;
    let fleet = FleetProcess::start(&redis.tcp_url(), nodes).await;
    sleep(SETTLES_WITHIN).await;
    let [fleet_quiet, redis_quiet] =
        shares_of_a_core([fleet.id(), redis.pid()], MEASURED_FOR).await;
    let url = redis.tcp_url();
    let options = ["--redis-url", &*url, "--namespace", NAMESPACE, "--operator-token", OPERATOR];
    let dashboard = Dashboard::start(&options).await;
    dashboard.until_counted(nodes as u64, nodes as u64).await;
    sleep(SETTLES_WITHIN).await;
    let pid = dashboard.child.id().unwrap();
    let [busy, redis_busy, fleet_busy] =
        shares_of_a_core([pid, redis.pid(), fleet.id()], MEASURED_FOR).await;
    let frames = frame_bytes(&dashboard.address, &format!("{}/events", dashboard.base)).await;
    let page = format!("{}/nodes", dashboard.base);
    let mut first_bytes = Vec::new();
    let mut page_bytes = 0;
    for _ in 0..PAGES {
        let (took, bytes) = first_byte(&dashboard.address, &page).await;
        first_bytes.push(took);
        page_bytes = bytes;
    }
    let (compared, compared_bytes) =
        first_byte(&dashboard.address, &format!("{page}?compare=1")).await;
    let (largest, first_byte) = (*frames.iter().max().unwrap(), median(first_bytes));
    let beyond_buses = redis_busy - redis_quiet;
    println!("{nodes} nodes of ten caches:");
    println!("| the dashboard's share of a core | {busy:.1} % |");
    println!(
        "| Redis's share of a core beyond the buses | {beyond_buses:.1} % | {redis_quiet:.1} % before |"
    );
    println!("| the nodes' share of a core | {fleet_busy:.1} % | {fleet_quiet:.1} % before |");
    println!("| the first byte of /nodes, median | {first_byte:?} | {page_bytes} bytes |");
    println!("| the first byte of a comparison | {compared:?} | {compared_bytes} bytes |");
    println!("| the largest frame | {largest} bytes |");
    println!("| memory of the dashboard | {} MB |", resident_mb(pid));
    println!("| memory of Redis | {} MB |", resident_mb(redis.pid()));
    assert!(largest < LARGEST_FRAME, "a frame has {largest} bytes");
    if env::var_os(PROGRAM).is_some() {
        assert!(busy < LARGEST_SHARE, "the dashboard uses {busy:.1} % of a core");
        assert!(first_byte < LONGEST_WAIT, "the first byte came after {first_byte:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_process_of_the_nodes_ends_with_its_input() {
    let redis = RedisServer::start_on_a_port(&[]).await;
    FleetProcess::start(&redis.tcp_url(), 2).await.ends_with_its_input().await;
}
