//! Which namespaces a Redis has, for those who look for them.

use strata_cache::{Announcements, AskError, Fleet, Node, RedisAddress};
use strata_testing::RedisServer;

use super::{Console, found, node};
use crate::support::{Redis, eventually};

#[tokio::test]
async fn namespaces_of_any_name_are_noted_for_those_who_look_for_one() {
    let redis = Redis::start().await;
    let mut nodes = Vec::new();
    for namespace in ["api", "s"] {
        let node = Node::builder(namespace).redis_url(&redis.url()).start().await.unwrap();
        assert!(node.id().ends_with(&std::process::id().to_string()), "{}", node.id());
        nodes.push(node);
    }
    let console = Console::of(&redis, "").await;
    let announced = announced(&redis);
    let look = async || {
        let names = announced.namespaces().await.unwrap();
        (names.len() == 2).then_some(names)
    };
    let names = found("both are noted", look).await;
    assert!(names.iter().map(|(name, _)| &**name).eq(["api", "s"]), "{names:?}");
    assert!(names.iter().all(|(_, ms_ago)| *ms_ago < 60_000));
    assert!(console.view().await.nodes.is_empty(), "those of another namespace are not seen");
}

fn announced(redis: &Redis) -> Announcements {
    Announcements::at(&RedisAddress::parse(&redis.url()).unwrap()).unwrap()
}

#[tokio::test]
async fn whoever_looks_for_namespaces_passes_over_garbage_and_reads_one_key() {
    let redis = Redis::start().await;
    let now_ms = (redis.ask::<Vec<u64>>(&["TIME"]).await[0] * 1_000).to_string();
    let () = redis
        .ask(&[
            "ACL",
            "SETUSER",
            "looker",
            "on",
            ">pw",
            "~strata:namespaces",
            "+@read",
            "+time",
            "+@connection",
        ])
        .await;
    let password = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(password.path(), "pw").unwrap();
    let address = RedisAddress::parse(&redis.url()).unwrap();
    let address = address.user("looker").password_file(password.path());
    let announced = Announcements::at(&address).unwrap();
    assert_eq!(announced.namespaces().await.unwrap(), [], "there is none yet");
    let long = "n".repeat(65);
    for (name, at) in [
        ("shop", &*now_ms),
        ("Shop\n", &now_ms),
        ("", &now_ms),
        (&long, &now_ms),
        ("depot", "soon"),
    ] {
        let () = redis.ask(&["HSET", "strata:namespaces", name, at]).await;
    }
    let names = announced.namespaces().await.unwrap();
    assert!(names.iter().map(|(name, _)| &**name).eq(["shop"]), "{names:?}");
    let () = redis.ask(&["DEL", "strata:namespaces"]).await;
    let () = redis.ask(&["SET", "strata:namespaces", "garbage"]).await;
    let refused = announced.namespaces().await.unwrap_err();
    assert!(matches!(&refused, AskError::Refused(why) if why.contains("WRONGTYPE")), "{refused}");
}

#[tokio::test]
async fn a_namespace_that_was_noted_at_a_time_ahead_is_none_and_is_removed() {
    let redis = Redis::start().await;
    let now_ms = redis.ask::<Vec<u64>>(&["TIME"]).await[0] * 1_000;
    let times = [
        ("soon", (now_ms + 30_000).to_string()),
        ("ahead", (now_ms + 90_000).to_string()),
        ("never", u64::MAX.to_string()),
        ("beyond", "99999999999999999999999".to_owned()),
        ("negative", "-1".to_owned()),
        ("fraction", "1e15".to_owned()),
    ];
    for (name, at) in &times {
        let () = redis.ask(&["HSET", "strata:namespaces", name, at]).await;
    }
    let names = announced(&redis).namespaces().await.unwrap();
    assert_eq!(names, [("soon".to_owned(), 0)], "a clock that was set back a little is trusted");
    let _node = node(&redis, "1", Fleet::default()).await;
    eventually("a node removes what nobody noted", async || {
        let mut left: Vec<String> = redis.ask(&["HKEYS", "strata:namespaces"]).await;
        left.sort();
        left == ["soon", "test"]
    })
    .await;
}

#[tokio::test]
async fn of_very_many_namespaces_some_are_read_and_not_all() {
    let redis = Redis::start().await;
    let fill = "local t = redis.call('TIME')
        for n = 1, 1000 do redis.call('HSET', KEYS[1], ARGV[1] .. n, t[1] * 1000) end";
    for part in 0..12 {
        let part = format!("ns-{part}-");
        let () = redis.ask(&["EVAL", fill, "1", "strata:namespaces", &part]).await;
    }
    let large = "redis.call('HSET', KEYS[1], 'large', string.rep('x', 10485760))";
    let () = redis.ask(&["EVAL", large, "1", "strata:namespaces"]).await;
    let before = commands(&redis, "hscan").await;
    let names = announced(&redis).namespaces().await.unwrap();
    assert!((1..6_000).contains(&names.len()), "{}", names.len());
    assert!(commands(&redis, "hscan").await - before <= 17);
    assert_eq!(commands(&redis, "hgetall").await, 0);
    assert!(announced(&redis).namespaces().await.is_ok());
    let looker = announced(&redis);
    assert!(!looker.were_cut());
    let _some = looker.namespaces().await.unwrap();
    assert!(looker.were_cut(), "it says that there are more");
    let () = redis.ask(&["DEL", "strata:namespaces"]).await;
    assert_eq!(looker.namespaces().await, Ok(Vec::new()));
    assert!(!looker.were_cut());
}

#[tokio::test]
async fn a_node_tidies_a_part_of_a_list_of_very_many_namespaces_at_a_time() {
    let redis = Redis::start().await;
    let fill = "for n = 1, 5000 do redis.call('HSET', KEYS[1], 'ns-' .. n, 'garbage') end";
    let () = redis.ask(&["EVAL", fill, "1", "strata:namespaces"]).await;
    let _node = node(&redis, "1", Fleet::default()).await;
    eventually("its namespace is noted", async || {
        redis.ask(&["HEXISTS", "strata:namespaces", "test"]).await
    })
    .await;
    let left: u64 = redis.ask(&["HLEN", "strata:namespaces"]).await;
    assert!((3_000..5_001).contains(&left), "{left}");
}

/// How often Redis has run a command.
async fn commands(redis: &Redis, name: &str) -> u64 {
    let stats: String = redis.ask(&["INFO", "commandstats"]).await;
    let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{name}:calls=")));
    line.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}

#[tokio::test]
async fn whoever_looks_for_namespaces_says_that_redis_is_away_and_finds_it_again() {
    let mut redis = RedisServer::start().await;
    let announced = Announcements::at(&RedisAddress::parse(&redis.url()).unwrap()).unwrap();
    assert_eq!(announced.namespaces().await, Ok(Vec::new()));
    redis.kill();
    assert_eq!(announced.namespaces().await, Err(AskError::Away));
    redis.restart().await;
    eventually("it is found again", async || announced.namespaces().await.is_ok()).await;
}
