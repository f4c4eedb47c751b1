//! Keys in Redis are counted by one console, while somebody watches one, and with rests. Time is
//! real: what is counted are the commands that Redis saw.

use std::sync::Arc;
use std::time::Duration;

use strata_cache::{Cache, Node};
use strata_console::Console;
use strata_testing::RedisServer;
use tokio::time::{sleep, timeout};

use crate::support::console;

const MINUTE: Duration = Duration::from_secs(60);

/// What only a count asks for: of one key in sixteen that SCAN finds, its length. Heartbeats of the
/// bus use SCAN too.
const LENGTH: &str = "strlen";

struct Fleet {
    redis: RedisServer,
    consoles: Vec<Console>,
    _caches: Vec<Cache<u64, u64>>,
}

/// Three programs, each with a console over a node of its own, and 5 000 keys.
async fn fleet() -> Fleet {
    let redis = RedisServer::start().await;
    let (mut consoles, mut caches) = (Vec::new(), Vec::new());
    for id in ["1", "2", "3"] {
        let builder = Node::builder("test").id(id).redis_url(&redis.url()).l2_timeout(MINUTE);
        let node = builder.start().await.unwrap();
        let cache = Cache::builder("users").l2_time_to_live(MINUTE).build(&node).unwrap();
        consoles.push(console(&[Arc::new(node)]));
        caches.push(cache);
    }
    let fill = "for n = 1, 5000 do redis.call('SET', '{test}:users:' .. n, 'x') end";
    let _: String = redis.cli(&["EVAL", fill, "0"]).await;
    Fleet { redis, consoles, _caches: caches }
}

impl Fleet {
    /// How often this command was asked for.
    async fn n_of(&self, command: &str) -> u64 {
        let stats = self.redis.cli(&["INFO", "commandstats"]).await;
        let begin = format!("cmdstat_{command}:calls=");
        let calls = stats.lines().find_map(|line| line.strip_prefix(&begin));
        calls.map_or(0, |calls| calls.split(',').next().unwrap().parse().unwrap())
    }

    /// Waits until the consoles have asked how Redis is, which each does every two seconds whoever
    /// watches, twice; the first time it would have counted too.
    async fn until_at_work(&self) {
        // This counts INFO as well, one a look.
        let (mut n_own, began) = (1, self.n_of("info").await);
        let asked = async {
            while self.n_of("info").await - began - n_own < 6 {
                n_own += 1;
                sleep(Duration::from_millis(200)).await;
            }
        };
        timeout(MINUTE, asked).await.expect("consoles ask how Redis is");
    }
}

#[tokio::test]
async fn nobody_counts_keys_while_nobody_watches() {
    let fleet = fleet().await;
    fleet.until_at_work().await;
    for console in &fleet.consoles {
        assert_eq!(console.redis_state().counted_at_ms, None);
    }
    assert_eq!(fleet.n_of(LENGTH).await, 0);
}

#[tokio::test]
async fn of_three_consoles_that_are_watched_one_counts_for_all_and_then_rests() {
    let fleet = fleet().await;
    let counted = async {
        while fleet.consoles.iter().any(|each| each.caches()[0].l2_entries != Some(5_000)) {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(MINUTE, counted).await.expect("each console shows the count");
    let n_lengths = fleet.n_of(LENGTH).await;
    let of_one_walk = 5_000 / 16;
    assert!((of_one_walk..of_one_walk * 3 / 2).contains(&n_lengths), "{n_lengths} lengths");
    let rests_ms: u64 = fleet.redis.cli(&["PTTL", "{test}!census:turn"]).await.parse().unwrap();
    assert!(rests_ms > 0, "nobody has the turn yet");
    let mut streams: Vec<_> = fleet.consoles.iter().map(Console::subscribe).collect();
    for stream in &mut streams {
        stream.changed().await.unwrap();
    }
    assert_eq!(fleet.n_of(LENGTH).await, n_lengths, "whoever watches, it rests");
}
