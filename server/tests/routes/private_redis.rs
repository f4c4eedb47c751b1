use std::path::Path;
use std::process::Command;

use axum::http::{Method, StatusCode};
use serde_json::json;
use strata_server::{PrivateRedis, RedisChoice};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

use crate::support::{PATIENCE, Running, start};

pub(crate) fn kill(signal: &str, pid: u32) {
    let killed = Command::new("kill").args([signal, &pid.to_string()]).status().unwrap();
    assert!(killed.success());
}

pub(crate) fn is_alive(pid: u32) -> bool {
    // A zombie has ended; only its parent has not looked yet.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

async fn info(socket: &str) -> String {
    let mut stream = UnixStream::connect(socket).await.unwrap();
    stream.write_all(b"CONFIG GET maxmemory-policy\r\nCONFIG GET port\r\nQUIT\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_listens_on_a_socket_alone_and_goes_away_with_its_directory() {
    let redis = PrivateRedis::start().await.unwrap();
    let url = redis.url();
    let socket = url.strip_prefix("redis+unix://").unwrap();
    let said = info(socket).await;
    assert!(said.contains("volatile-lfu"), "{said}");
    assert!(said.contains("port\r\n$1\r\n0\r\n"), "no TCP: {said}");
    let (pid, dir) = (redis.pid().unwrap(), Path::new(socket).parent().unwrap());
    assert!(is_alive(pid));
    redis.stop().await;
    assert!(!is_alive(pid));
    assert!(!dir.exists());
}

#[tokio::test]
async fn it_is_started_again_on_the_same_socket_when_it_dies() {
    let redis = PrivateRedis::start().await.unwrap();
    let mut pids = redis.watch_pid();
    for _ in 0..2 {
        let before = redis.pid().unwrap();
        kill("-KILL", before);
        let is_another = |pid: &Option<u32>| pid.is_some_and(|pid| pid != before);
        timeout(PATIENCE, pids.wait_for(is_another)).await.unwrap().unwrap();
        let url = redis.url();
        let said = info(url.strip_prefix("redis+unix://").unwrap()).await;
        assert!(said.contains("volatile-lfu"));
    }
    redis.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_it_is_away_and_the_demo_recovers_by_itself() {
    let running = start(|settings| {
        settings.nodes = 2;
        settings.redis = RedisChoice::Private;
    })
    .await;
    until_redis_is(&running, "up").await;
    let before = running.demo.redis_pid().unwrap();
    kill("-KILL", before);
    let recovered = async {
        let mut round = 0;
        loop {
            round += 1;
            ask_everything(&running, round).await;
            let state = running.get("/readyz").await;
            assert_eq!(state.status, StatusCode::OK);
            let state = state.json();
            let hears = |node: &serde_json::Value| {
                node["bus_connected"] == true && node["l2_breaker_open"] == false
            };
            let is_back =
                state["redis"]["pid"].as_u64().is_some_and(|pid| pid != u64::from(before))
                    && state["redis"]["state"] == "up"
                    && state["nodes"].as_array().unwrap().iter().all(hears);
            if is_back && round > 20 {
                return;
            }
        }
    };
    timeout(PATIENCE, recovered).await.unwrap();
    running.demo.stop().await;
}

async fn ask_everything(running: &Running, round: u64) {
    let id = round % 40 + 1;
    for path in [format!("/demo/users/{id}"), format!("/demo/posts/{id}")] {
        let answer = running.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    }
    let edit = json!({ "bio": format!("round {round}") });
    let path = format!("/demo/users/{id}");
    let written = running.send(Method::PUT, &path, &edit).await;
    assert_eq!(written.status, StatusCode::OK, "{written:?}");
}

async fn until_redis_is(running: &Running, state: &str) {
    let reached = async {
        while running.get("/readyz").await.json()["redis"]["state"] != state {
            sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, reached).await.unwrap();
}
