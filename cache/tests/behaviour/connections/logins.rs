//! User and password from a file or a function, which may change while nodes run.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use strata_cache::{Credentials, Node, RedisAddress};

use super::{hearing_node_at, node_at, says, share, two_nodes_share};
use crate::support::{Redis, cache, eventually, hears};

async fn set_password(redis: &Redis, password: &str) {
    let password = format!(">{password}");
    let rules = ["ACL", "SETUSER", "app", "reset", "on", &password, "~*", "&*", "+@all"];
    let () = redis.ask(&rules).await;
}

async fn end_connections(redis: &Redis) {
    let () = redis.ask(&["CLIENT", "KILL", "USER", "app"]).await;
}

/// How often open connections have logged in anew.
async fn auths(redis: &Redis) -> u64 {
    let stats = redis.cli(&["INFO", "commandstats"]).await;
    let line = stats.lines().find(|line| line.starts_with("cmdstat_auth:"));
    let calls = line.and_then(|line| line.split(['=', ',']).nth(1));
    calls.and_then(|calls| calls.parse::<u64>().ok()).unwrap_or(0)
}

/// Only connections that have logged in with the newest password remain after this.
async fn lets_in_only(redis: &Redis, password: &str) {
    set_password(redis, password).await;
    end_connections(redis).await;
}

#[tokio::test]
async fn a_password_in_a_file_is_read_anew_at_each_connect() {
    let redis = Redis::start().await;
    set_password(&redis, "first").await;
    let file = redis.dir().join("password");
    std::fs::write(&file, "first\n").unwrap();
    let address = RedisAddress::parse(&redis.url()).unwrap().user("app").password_file(&file);
    let nodes = [hearing_node_at(&address, "1").await, hearing_node_at(&address, "2").await];
    let [here, there] = nodes.each_ref().map(cache);
    std::fs::write(&file, "second").unwrap();
    lets_in_only(&redis, "second").await;
    share(&here, &there, 1).await;
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_file_are_told_and_mended_while_the_node_runs() {
    let redis = Redis::start().await;
    set_password(&redis, "right").await;
    let file = redis.dir().join("password");
    let address = RedisAddress::parse(&redis.url()).unwrap().user("app").password_file(&file);
    let node = node_at(&address, "1").await;
    says(&node, "LOGIN", "password cannot be read").await;
    std::fs::write(&file, "hunter2").unwrap();
    says(&node, "WRONGPASS", "refuses the user or the password").await;
    assert!(!format!("{:?}{:?}", node.report(), address).contains("hunter2"));
    std::fs::write(&file, "right").unwrap();
    hears(&node).await;
}

#[tokio::test]
async fn a_function_gives_a_token_and_open_connections_log_in_with_the_next_before_it_ends() {
    let redis = Redis::start().await;
    let given = Arc::new(AtomicU64::new(0));
    set_password(&redis, "token-0").await;
    let count = Arc::clone(&given);
    let address = RedisAddress::parse(&redis.url()).unwrap().credentials(move || {
        let token = format!("token-{}", count.load(SeqCst));
        async move {
            let lasts = Duration::from_secs(1);
            Ok::<_, std::io::Error>(Credentials::new("app", &token).renew_after(lasts))
        }
    });
    let node = hearing_node_at(&address, "1").await;
    // A second token works as well as the first from now on, and is given from now on.
    let () = redis.ask(&["ACL", "SETUSER", "app", ">token-1"]).await;
    let before = auths(&redis).await;
    given.store(1, SeqCst);
    let connections = async || redis.cli(&["CLIENT", "LIST"]).await.matches("user=app").count();
    let n_connections = connections().await;
    assert!(n_connections >= 2);
    eventually("the open connections log in anew", async || auths(&redis).await >= before + 2)
        .await;
    let l2 = node.report().l2;
    assert_eq!((l2.breaker_opened, l2.breaker_open), (0, false), "no connection was lost");
    // Connections that begin later use it too.
    lets_in_only(&redis, "token-1").await;
    let [here, there] = [&node, &hearing_node_at(&address, "2").await].map(cache);
    share(&here, &there, 1).await;
}

#[tokio::test]
async fn a_token_that_comes_late_is_used_by_open_connections() {
    let redis = Redis::start().await;
    set_password(&redis, "token-0").await;
    let (open, gate) = tokio::sync::watch::channel(false);
    let calls = Arc::new(AtomicU64::new(0));
    let address = RedisAddress::parse(&redis.url()).unwrap().credentials(move || {
        let (n, mut gate) = (calls.fetch_add(1, SeqCst), gate.clone());
        async move {
            if n == 0 {
                let lasts = Duration::from_secs(1);
                return Ok(Credentials::new("app", "token-0").renew_after(lasts));
            }
            gate.wait_for(|is_open| *is_open).await?;
            let lasts = Duration::from_secs(3_600);
            let credentials = Credentials::new("app", "token-1").renew_after(lasts);
            Ok::<_, tokio::sync::watch::error::RecvError>(credentials)
        }
    });
    let node = hearing_node_at(&address, "1").await;
    let before = auths(&redis).await;
    // The node does not wait for it any more.
    says(&node, "TIMEOUT", "").await;
    let () = redis.ask(&["ACL", "SETUSER", "app", ">token-1"]).await;
    open.send_replace(true);
    eventually("those of commands and of the bus log in anew", async || {
        auths(&redis).await >= before + 2
    })
    .await;
    let l2 = node.report().l2;
    assert_eq!((l2.breaker_opened, l2.breaker_open), (0, false), "no connection was lost");
}

#[tokio::test]
async fn a_function_that_fails_or_panics_costs_redis_and_not_the_node() {
    let redis = Redis::start().await;
    let calls = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&calls);
    let address = RedisAddress::parse(&redis.url()).unwrap().credentials(move || {
        let n = count.fetch_add(1, SeqCst);
        assert!(n != 0, "a panic before there is a future");
        async move {
            match n {
                1 => panic!("a panic later"),
                2 | 3 => Err("the vault is sealed"),
                _ => Ok(Credentials::new("", "none").renew_after(Duration::from_secs(60))),
            }
        }
    });
    let () = redis.ask(&["CONFIG", "SET", "requirepass", "none"]).await;
    let node = node_at(&address, "1").await;
    hears(&node).await;
    assert!(calls.load(SeqCst) >= 5);
}

#[tokio::test]
async fn a_function_may_take_longer_than_connecting_may() {
    let redis = Redis::start().await;
    set_password(&redis, "secret").await;
    let address = RedisAddress::parse(&redis.url()).unwrap().credentials(|| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, std::io::Error>(Credentials::new("app", "secret"))
    });
    // Connecting may take a quarter of a second.
    let node = Node::builder("test").redis(address).l2_timeout(Duration::from_millis(50));
    hears(&node.start().await.unwrap()).await;
}

#[tokio::test]
async fn a_client_that_was_built_elsewhere_is_used_as_it_is() {
    let redis = Redis::start().await;
    set_password(&redis, "secret").await;
    let url = format!("{}?user=app&pass=secret", redis.url());
    let client = redis::Client::open(url).unwrap();
    two_nodes_share(&RedisAddress::of_client(client.clone())).await;
    let builder = Node::builder("test").redis_client(client);
    assert!(!format!("{builder:?}").contains("secret"), "{builder:?}");
    hears(&builder.start().await.unwrap()).await;
}
