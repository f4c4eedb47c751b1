//! Somebody sets the clock of the machine while the program runs. libfaketime sets the program's own.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use strata_testing::RedisServer;
use tokio::process::Child;

use crate::http_client::{read_on, send, until};
use crate::program::{address, strata};
use crate::support::skipped;

/// A program whose clock a test sets. Its Redis has the right time.
struct Program {
    /// Killed with this.
    _child: Child,
    address: String,
    /// Says how far the clock is off.
    offset: PathBuf,
}

/// Where Linux distributions and macOS have it.
fn libfaketime() -> Option<&'static str> {
    let found = [
        "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
        "/usr/lib64/faketime/libfaketime.so.1",
        "/usr/lib/faketime/libfaketime.so.1",
    ];
    let found = found.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        skipped("libfaketime is not installed (apt-get install faketime)");
    }
    found
}

fn is_near(point_ms: Option<u64>, at_ms: u64) -> bool {
    point_ms.is_some_and(|point_ms| point_ms.abs_diff(at_ms) < 600_000)
}

impl Program {
    async fn start(dir: &Path, options: &[&str], library: &str) -> Self {
        let offset = dir.join("offset");
        fs::write(&offset, "+0\n").unwrap();
        let mut program = strata(dir, options);
        program
            .env("LD_PRELOAD", library)
            .env("FAKETIME_TIMESTAMP_FILE", &offset)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
        let mut child = program.spawn().unwrap();
        let address = address(&mut child).await;
        Self { _child: child, address, offset }
    }

    /// Sets the clock, in one step for whoever reads it.
    fn set(&self, offset: &str) {
        let new = self.offset.with_extension("new");
        fs::write(&new, format!("{offset}\n")).unwrap();
        fs::rename(&new, &self.offset).unwrap();
    }

    async fn json(&self, path: &str) -> Value {
        send(&self.address, &format!("GET {path}"), "", "").await.json()
    }

    /// When the newest second of the charts was, by the program's clock.
    async fn newest_ms(&self) -> u64 {
        let history = self.json("/api/v1/history?range=1m").await;
        let steps = history["steps"].as_array().unwrap();
        steps.iter().filter_map(|step| step["point"]["at_ms"].as_u64()).max().unwrap_or_default()
    }

    /// Reads that the charts show within minutes of this time.
    async fn charted_reads(&self, at_ms: u64) -> u64 {
        let history = self.json("/api/v1/caches/users/history?range=1m").await;
        let steps = history["steps"].as_array().unwrap();
        let points = steps.iter().map(|step| &step["point"]);
        let points = points.filter(|point| is_near(point["at_ms"].as_u64(), at_ms));
        let outcomes = points.filter_map(|point| point["outcomes"].as_array()).flatten();
        outcomes.filter_map(Value::as_u64).sum()
    }

    /// Messages of the bus that arrived, and their lags, as monitoring reads them.
    async fn lags(&self) -> (f64, f64) {
        let text = send(&self.address, "GET /metrics", "", "").await.body;
        let sum = |family: &str| -> f64 {
            let lines = text.lines().filter(|line| line.starts_with(&format!("{family}{{")));
            lines.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
        };
        (sum("cache_bus_lag_seconds_count"), sum("cache_bus_lag_seconds_sum"))
    }

    async fn alerts(&self) -> Vec<String> {
        let alerts = self.json("/api/v1/alerts").await;
        alerts.as_array().unwrap().iter().map(|alert| alert["lint"].to_string()).collect()
    }

    async fn hears_the_bus(&self) -> bool {
        let ready = self.json("/readyz").await;
        let mut nodes = ready["nodes"].as_array().unwrap().iter();
        nodes.all(|node| node["bus_connected"] == true && node["l2_breaker_open"] == false)
    }
}

#[tokio::test]
async fn charts_go_on_lags_stay_true_and_no_alarm_stays_when_a_clock_is_set() {
    let Some(library) = libfaketime() else { return };
    let dir = tempfile::tempdir().unwrap();
    let redis = RedisServer::start().await;
    let url = redis.url();
    let program = Program::start(dir.path(), &["--nodes", "2", "--redis-url", &url], library).await;
    until("Redis is used", async || program.hears_the_bus().await).await;
    until("the charts have begun", async || program.newest_ms().await > 0).await;
    let right_ms = program.newest_ms().await;
    let calm = program.alerts().await;
    for (offset, ahead_ms) in [("-1h", -3_600_000_i64), ("+2h", 7_200_000), ("+0", 0)] {
        program.set(offset);
        let set_ms = right_ms.saturating_add_signed(ahead_ms);
        until(&format!("{offset}: the charts have the new time"), async || {
            is_near(Some(program.newest_ms().await), set_ms)
        })
        .await;
        for user in 1..=20 {
            assert_eq!(
                read_on(&program.address, 1, &format!("/demo/users/{user}")).await.status,
                200
            );
        }
        until(&format!("{offset}: the charts show reads"), async || {
            program.charted_reads(set_ms).await >= 20
        })
        .await;
        until(&format!("{offset}: the bus is heard"), async || program.hears_the_bus().await).await;
        let (n_before, _) = program.lags().await;
        send(&program.address, "DELETE /api/v1/caches/users/keys/7", "", "").await;
        until(&format!("{offset}: a lag was measured"), async || program.lags().await.0 > n_before)
            .await;
        let (_, lag_s) = program.lags().await;
        assert!(lag_s < 60.0, "{offset}: {lag_s} s of lag in all");
        until(&format!("{offset}: no alarm stays"), async || program.alerts().await == calm).await;
    }
}

#[tokio::test]
async fn what_was_done_days_ago_has_its_date_after_a_restart() {
    let Some(library) = libfaketime() else { return };
    let dir = tempfile::tempdir().unwrap();
    let redis = RedisServer::start().await;
    let url = redis.url();
    let options = ["--redis-url", &url];
    let earlier = Program::start(dir.path(), &options, library).await;
    earlier.set("-3d");
    until("Redis is used", async || earlier.hears_the_bus().await).await;
    send(&earlier.address, "DELETE /api/v1/caches/users/keys/7", "", "").await;
    let old_ms = earlier.json("/api/v1/audit").await["entries"][0]["at_ms"].as_u64().unwrap();
    until("it is in Redis", async || earlier.json("/api/v1/audit").await["only_in_memory"] == 0)
        .await;
    drop(earlier);
    let now = Program::start(dir.path(), &options, library).await;
    until("it is read", async || {
        now.json("/api/v1/audit").await["entries"].as_array().is_some_and(|all| !all.is_empty())
    })
    .await;
    let trail = now.json("/api/v1/audit").await;
    assert_eq!(trail["entries"][0]["at_ms"], old_ms, "{trail}");
    let page = send(&now.address, "GET /activity", "accept: text/html\r\n", "").await.body;
    let when = page.split("data-testid=\"audit\"").nth(1).unwrap().split("<time").nth(1).unwrap();
    let (attributes, text) = when.split_once('>').unwrap();
    let written = text.split('<').next().unwrap();
    let machine = attributes.split("datetime=\"").nth(1).unwrap().split('"').next().unwrap();
    let (date, _) = machine.split_once('T').unwrap();
    assert!(written.starts_with(date), "{written} of {machine}");
}
