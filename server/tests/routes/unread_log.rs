//! A program whose log nobody can read any more does all that it did before.

use std::path::Path;

use strata_testing::RedisServer;
use tokio::process::Child;
use tokio::time::timeout;

use crate::http_client::{read_on, send, until};
use crate::private_redis::kill;
use crate::program::{address, get, strata};
use crate::support::PATIENCE;

/// What became of the reader of the log.
#[derive(Clone, Copy, Debug)]
enum Reader {
    /// It has gone away: the pipe is closed.
    Gone,
    /// It has stopped to read: the pipe is full.
    Stuck,
}

/// Two nodes on this Redis, and their log in that state.
async fn start(dir: &Path, redis: &RedisServer, reader: Reader) -> (Child, String) {
    let mut program = strata(dir, &["--nodes", "2", "--redis-url", &redis.url()]);
    if let Reader::Stuck = reader {
        program.env("STRATA_LOG", "trace");
    }
    let mut child = program.spawn().unwrap();
    let address = address(&mut child).await;
    match reader {
        Reader::Gone => drop(child.stderr.take()),
        // Far more than a pipe holds.
        Reader::Stuck => {
            for user in 1..=200 {
                get(&address, &format!("/demo/users/{}", user % 50 + 1)).await;
            }
        }
    }
    until("Redis is used", async || uses_redis(&address).await).await;
    (child, address)
}

async fn uses_redis(address: &str) -> bool {
    let ready = send(address, "GET /readyz", "", "").await.json();
    let mut nodes = ready["nodes"].as_array().unwrap().iter();
    nodes.all(|node| node["bus_connected"] == true && node["l2_breaker_open"] == false)
}

async fn stops(mut child: Child) {
    kill("-TERM", child.id().unwrap());
    let status = timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn what_was_changed_after_redis_lost_its_data_is_new_on_every_node() {
    for reader in [Reader::Gone, Reader::Stuck] {
        let dir = tempfile::tempdir().unwrap();
        let redis = RedisServer::start().await;
        let (child, address) = start(dir.path(), &redis, reader).await;
        for node in [1, 2, 1, 2] {
            assert_eq!(read_on(&address, node, "/demo/users/7").await.status, 200);
        }
        redis.cli(&["FLUSHALL"]).await;
        let put = "PUT /demo/users/7";
        let changed = send(&address, put, "x-strata-node: 1\r\n", r#"{"name":"New"}"#).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        until(&format!("{reader:?}: node 2 has the new name"), async || {
            read_on(&address, 2, "/demo/users/7").await.json()["name"] == "New"
        })
        .await;
        until(&format!("{reader:?}: Redis is used"), async || uses_redis(&address).await).await;
        stops(child).await;
    }
}

#[tokio::test]
async fn redis_is_used_again_when_it_is_back() {
    for reader in [Reader::Gone, Reader::Stuck] {
        let dir = tempfile::tempdir().unwrap();
        let mut redis = RedisServer::start().await;
        let (child, address) = start(dir.path(), &redis, reader).await;
        redis.kill();
        until(&format!("{reader:?}: it is away"), async || {
            assert_eq!(read_on(&address, 1, "/demo/users/8").await.status, 200);
            !uses_redis(&address).await
        })
        .await;
        redis.restart().await;
        until(&format!("{reader:?}: it is used"), async || uses_redis(&address).await).await;
        let mut user = 9;
        until(&format!("{reader:?}: a node finds what another has stored"), async || {
            user = user % 50 + 1;
            let path = format!("/demo/users/{user}");
            read_on(&address, 1, &path).await;
            read_on(&address, 2, &path).await.head.contains("strata-l2; hit")
        })
        .await;
        stops(child).await;
    }
}

#[tokio::test]
async fn what_an_operator_does_is_done_and_in_the_trail() {
    for reader in [Reader::Gone, Reader::Stuck] {
        let dir = tempfile::tempdir().unwrap();
        let redis = RedisServer::start().await;
        let (child, address) = start(dir.path(), &redis, reader).await;
        let done = send(&address, "DELETE /api/v1/caches/users/keys/7", "", "").await;
        assert_eq!(done.status, 200, "{done:?}");
        let trail = send(&address, "GET /api/v1/audit", "", "").await.json();
        assert_eq!(trail["entries"][0]["action"], "invalidate_key", "{trail}");
        stops(child).await;
    }
}
