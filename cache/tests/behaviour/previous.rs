//! A node of the previous version beside one of this version, on one Redis, as in a rolling deploy.
//! `./dev test long` builds the older one.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rand::RngExt;
use strata_cache::report::Effect;
use strata_cache::{Cache, Node, Pattern};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::support::Redis;

const N_KEYS: u64 = 20;
const N_WRITES: u64 = 2_000;

struct Previous {
    _child: Child,
    asks: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Previous {
    fn start(redis: &Redis, rows: &Path) -> Self {
        let program = std::env::var("STRATA_PREVIOUS_NODE").expect("the program of the older node");
        let mut child = Command::new(program)
            .args([redis.url().as_ref(), rows.as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let asks = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { _child: child, asks, answers }
    }

    async fn ask(&mut self, line: &str) -> String {
        self.asks.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        self.answers.next_line().await.unwrap().expect("the older node has died")
    }

    async fn value(&mut self, key: u64) -> String {
        let answer = self.ask(&format!("read {key}")).await;
        answer.split_once(' ').unwrap().0.to_owned()
    }
}

async fn value(cache: &Cache<u64, String>, rows: &Path, key: u64) -> String {
    let file = rows.join(key.to_string());
    let load = || async move { std::fs::read_to_string(file).map(Some) };
    cache.get_or_load(&key, load).await.unwrap().value.unwrap().as_ref().clone()
}

fn commit(rows: &Path, key: u64, row: u64) {
    let (written, file) = (rows.join("written"), rows.join(key.to_string()));
    std::fs::write(&written, row.to_string()).unwrap();
    std::fs::rename(written, file).unwrap();
}

async fn node_of_today(redis: &Redis) -> (Node, Cache<u64, String>) {
    let node = redis.hearing_node("new").await;
    let cache = Cache::builder("users").time_to_live(Duration::from_secs(3_600));
    let cache = cache.build(&node).unwrap();
    (node, cache)
}

#[tokio::test]
#[ignore = "needs a program of the previous version: ./dev test long"]
async fn beside_a_node_of_the_previous_version_both_stay_coherent() {
    let redis = Redis::start().await;
    let folder = tempfile::TempDir::new().unwrap();
    let rows: PathBuf = folder.path().to_owned();
    (0..N_KEYS).for_each(|key| commit(&rows, key, 0));
    let mut older = Previous::start(&redis, &rows);
    let (node, cache) = node_of_today(&redis).await;
    while older.ask("connected").await != "true" {
        tokio::task::yield_now().await;
    }
    for row in 1..=N_WRITES {
        let (key, way, by_older) = {
            let mut rng = rand::rng();
            (rng.random_range(0..N_KEYS), rng.random_range(0..10), rng.random_bool(0.5))
        };
        // Both hold a copy that must be removed.
        older.value(key).await;
        value(&cache, &rows, key).await;
        commit(&rows, key, row);
        match (by_older, way) {
            (true, 0) => drop(older.ask("clear").await),
            (true, 1) => drop(older.ask(&format!("pattern {key}")).await),
            (true, _) => drop(older.ask(&format!("invalidate {key}")).await),
            (false, 0) => assert_ne!(cache.clear().await, Effect::Queued),
            (false, 1) => {
                let pattern = Pattern::parse(&key.to_string()).unwrap();
                assert_ne!(cache.invalidate_pattern(&pattern).await, Effect::Queued);
            }
            (false, _) => assert_ne!(cache.invalidate(&key).await, Effect::Queued),
        }
        let sequence = node.bus_sequence().await.unwrap();
        assert!(node.has_heard(sequence, Duration::from_secs(10)).await, "the newer node hears");
        assert_eq!(older.ask(&format!("heard {sequence}")).await, "true", "the older node hears");
        assert_eq!(value(&cache, &rows, key).await, row.to_string(), "the newer node reads");
        assert_eq!(older.value(key).await, row.to_string(), "the older node reads");
    }
    assert_eq!(older.ask("gaps").await, "0", "the older node saw nothing that it does not know");
    assert_eq!(node.report().bus.gaps, 0);
    println!("checked {} reads after {N_WRITES} writes by either", 2 * N_WRITES);
}
