//! The slow log of a shared Redis.

use crate::support::{Redis, Source, cache};

#[tokio::test]
async fn the_slow_log_tells_of_this_namespace_alone_and_counts_the_rest() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let (cache, source) = (cache(&node), Source::new());
    let () = redis.ask(&["CONFIG", "SET", "slowlog-log-slower-than", "0"]).await;
    for words in [&["SET", "alices-key", "x"][..], &["GET", "{test2}:users:1"], &["KEYS", "alice*"]]
    {
        let _: redis::Value = redis.ask(words).await;
    }
    source.read(&cache, 7).await;
    node.match_l2("users", &strata_cache::Pattern::prefix(""), 1).await.unwrap();
    let server = node.redis_server().await.unwrap();
    let told: Vec<_> = server.slow_log.iter().map(|slow| slow.command.as_str()).collect();
    assert!(told.iter().any(|command| command.contains("{test}:users")), "{told:?}");
    for of_others in ["alice", "test2", "CONFIG"] {
        assert!(told.iter().all(|command| !command.contains(of_others)), "{told:?}");
    }
    assert!(server.slow_log_others >= 4, "{server:?}");
    let scan = server.slow_log.iter().find(|slow| slow.command.starts_with("SCAN"));
    assert!(scan.is_some_and(|scan| scan.looking), "{told:?}");
}
