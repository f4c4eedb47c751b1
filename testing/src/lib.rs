//! What the tests of all crates share: a redis-server of their own, a proxy before it, and checks
//! of errors and imports. Only dev-dependencies name this crate. It panics where a test should fail.

#![warn(missing_docs)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails where what it stands on does"
)]

mod certificates;
mod cluster;
mod commands;
mod errors;
mod imports;
mod proxy;
mod redis_server;
mod sentinel;

use std::time::{Duration, Instant};

pub use certificates::{Authority, CertificateFiles, Validity};
pub use cluster::Cluster;
pub use commands::Commands;
pub use errors::no_error_repeats_its_source;
pub use imports::wrong_imports;
pub use proxy::{DIRECTIONS, Direction, LINES, Line, Proxy};
pub use redis_server::RedisServer;
pub use sentinel::{MASTER, Sentinel};

/// Polls until `holds`, for what happens in the background. Panics after half a minute, which a
/// busy machine may need.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}: not within 30 seconds");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
