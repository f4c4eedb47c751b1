//! New connections: which server answers, what it allows, and how the node reports what it does
//! not.

use strata_cache::report::{Effect, Outcome};
use strata_cache::{Node, Pattern};

use crate::support::ways::{LONG, never_opened, node_of_user, onlooker, set_user};
use crate::support::{Redis, Source, cache, eventually, hears};

#[tokio::test]
async fn why_redis_cannot_be_reached_is_said() {
    let redis = Redis::start().await;
    let () = redis.ask(&["CONFIG", "SET", "requirepass", "right"]).await;
    let at = |tail: &str| format!("{}{tail}", redis.url());
    for (url, code, says) in [
        (at("?pass=wrong"), "WRONGPASS", "authentication failed"),
        (at("?pass=right&db=99"), "ERR", "out of range"),
        (at(""), "NOAUTH", "Authentication required"),
        ("redis://no-such-host.invalid".to_owned(), "CONNECTION", "failed to lookup"),
        ("redis://127.0.0.1:1".to_owned(), "CONNECTION", "refused"),
    ] {
        let node = Node::builder("test").redis_url(&url).start().await.unwrap();
        let l2 = node.report().l2;
        let error = l2.last_error.unwrap();
        let said = error.message.to_lowercase();
        assert!(error.code == code && said.contains(&says.to_lowercase()), "{url}: {error:?}");
        assert!(l2.breaker_open && error.since_ms > 0 && error.times > 0);
    }
}

#[tokio::test]
async fn the_server_is_named_also_to_a_user_who_may_not_ask_for_info() {
    let redis = Redis::start().await;
    let node = node_of_user(&redis, &["-info"]).await;
    let server = node.report().l2.server.unwrap();
    let said: String = redis.ask(&["INFO", "server"]).await;
    assert!(said.contains(&format!("redis_version:{}", server.version)), "{server:?}");
}

#[tokio::test]
async fn without_the_id_of_a_run_an_older_state_is_known_by_its_sequence() {
    let mut redis = Redis::start().await;
    // The user is stored in the snapshot's folder, so that a restarted Redis knows it.
    let node = node_of_user(&redis, &["-info"]).await;
    let (cache, source) = (cache(&node), Source::new());
    source.value(&cache, 1).await;
    let () = redis.ask(&["SAVE"]).await;
    source.write(7);
    cache.invalidate(&1).await;
    redis.restart().await;
    set_user(&redis, &["-info"]).await;
    eventually("L2 is trusted", async || !node.report().l2.breaker_open).await;
    hears(&node).await;
    let held: bool = redis.ask(&["EXISTS", "{test}:users:1"]).await;
    assert!(held, "the snapshot holds it");
    assert_eq!(source.value(&cache, 1).await, "7");
}

/// The rights that a service needs, as in the README, for the namespace `test`.
const RULES: &str = "resetkeys ~{test}* resetchannels -@all +@read +@write +@connection \
    +@transaction +@scripting -@dangerous +time";

#[tokio::test]
async fn a_user_who_may_touch_its_namespace_alone_has_all_that_a_cache_does() {
    let readme = include_str!("../../README.md");
    let documented = RULES.split_whitespace().collect::<Vec<_>>().join(" ").replace("test", "shop");
    assert!(readme.contains(&documented), "the README says: {documented}");
    let redis = Redis::start().await;
    let rules: Vec<&str> = RULES.split_whitespace().collect();
    let node = node_of_user(&redis, &rules).await;
    let (here, there) = (cache(&node), cache(&onlooker(&redis).await));
    let source = Source::new();
    source.read(&there, 1).await;
    assert_eq!(source.read(&here, 1).await.outcome, Outcome::L2Hit);
    source.read(&here, 2).await;
    for effect in [
        here.invalidate(&1).await,
        here.invalidate_softly(&2).await,
        here.invalidate_tag("tag").await,
        here.invalidate_pattern(&Pattern::prefix("2")).await,
        here.insert(&3, "three".to_owned()).await,
        here.clear().await,
    ] {
        assert_ne!(effect, Effect::Queued);
    }
    let tagged = || async {
        Ok::<_, std::io::Error>(Some(strata_cache::Loaded::from("4".to_owned()).tags(["tag"])))
    };
    here.get_or_load_entry(&4, tagged).await.unwrap();
    there.get_or_load_entry(&4, tagged).await.unwrap();
    let writes = strata_cache::WriteBehind::builder(&here);
    let writes = writes.durable(|_| async { Ok::<_, std::io::Error>(()) }).unwrap();
    writes.write(5, "five".to_owned()).await.unwrap();
    assert!(writes.shutdown(LONG).await.is_complete());
    let carts = node.structures("carts").unwrap();
    carts.hash(7).set([("tea", "2")], LONG).await.unwrap();
    assert!(node.count_l2().await.is_some());
    let l2 = node.report().l2;
    assert_eq!((l2.errors, l2.errors_by_code.len()), (0, 0), "{:?}", l2.last_error);
    never_opened(&node);
}

#[tokio::test]
async fn a_redis_that_is_too_old_is_told_in_one_sentence_and_left_alone() {
    let server = OldServer::start("6.0.16").await;
    let node = Node::builder("test").redis_url(&server.url()).start().await.unwrap();
    let (cache, source) = (cache(&node), Source::new());
    for key in 0..100 {
        assert_eq!(source.read(&cache, key).await.outcome, Outcome::Loaded);
    }
    let l2 = node.report().l2;
    assert_eq!(l2.last_error.unwrap().message, "Redis 6.0.16 is too old, 7.0 is needed");
    assert_eq!((l2.breaker_open, l2.breaker_opened), (true, 0), "it never closed");
    assert_eq!(l2.server.unwrap().version, "6.0.16");
    let bus = node.report().bus;
    assert!(
        !bus.connected && bus.silent_because.unwrap().contains("too old"),
        "nobody can invalidate"
    );
}

/// Greets as an older Redis does, since no older Redis can be installed beside the tests' own.
struct OldServer {
    port: u16,
}

impl OldServer {
    async fn start(version: &'static str) -> Self {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut commands = strata_testing::Commands::default();
                    let mut buffer = vec![0; 4_096];
                    while let Ok(n @ 1..) = client.read(&mut buffer).await {
                        for command in commands.read(&buffer[..n]) {
                            let answer = match command.as_str() {
                                "PING" => "+PONG\r\n".to_owned(),
                                "HELLO" => format!(
                                    "*4\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n${}\r\n{version}\r\n",
                                    version.len()
                                ),
                                "CLIENT" => "+OK\r\n".to_owned(),
                                _ => "-ERR syntax error\r\n".to_owned(),
                            };
                            client.write_all(answer.as_bytes()).await.unwrap();
                        }
                    }
                });
            }
        });
        Self { port }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}
