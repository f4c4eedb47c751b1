//! Zero, huge and meaningless settings.

use std::io::Error;
use std::time::Duration;

use strata_cache::report::Outcome;
use strata_cache::{BuildError, Cache, CacheBuilder, LoadError, Loaded, Node};

use crate::support::ways::onlooker;
use crate::support::{Redis, Source, eventually, lonely_node};

const HUGE: [Duration; 2] = [Duration::MAX, Duration::from_secs(u64::MAX)];

type Users = CacheBuilder<u64, String>;

fn users() -> Users {
    Cache::builder("users")
}

/// The outcomes of three reads of one key: two on one node, the third on another.
async fn outcomes(build: impl Fn() -> Users) -> [Outcome; 3] {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (build().build(&one).unwrap(), build().build(&two).unwrap());
    let source = Source::new();
    [
        source.read(&here, 1).await.outcome,
        source.read(&here, 1).await.outcome,
        source.read(&there, 1).await.outcome,
    ]
}

async fn is_leased(redis: &Redis, key: &str) -> bool {
    let held: Option<String> = redis.ask(&["GETRANGE", key, "0", "5"]).await;
    held.as_deref() == Some("lease:")
}

#[tokio::test]
async fn without_a_time_to_live_l1_keeps_nothing_and_l2_answers() {
    use Outcome::{L2Hit, Loaded};
    assert_eq!(outcomes(|| users().time_to_live(Duration::ZERO)).await, [Loaded, L2Hit, L2Hit]);
    assert_eq!(outcomes(|| users().time_to_idle(Duration::ZERO)).await, [Loaded, L2Hit, L2Hit]);
}

#[tokio::test]
async fn without_a_time_to_live_l2_keeps_nothing_and_l1_answers() {
    use Outcome::{L1Hit, Loaded};
    for none in [Duration::ZERO, Duration::from_nanos(1), Duration::from_micros(999)] {
        assert_eq!(outcomes(|| users().l2_time_to_live(none)).await, [Loaded, L1Hit, Loaded]);
    }
}

#[tokio::test]
async fn what_may_not_live_in_l2_leaves_no_lease_there() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let none = Duration::ZERO;
    let cache = users().l2_time_to_live(none).negative_time_to_live(none).build(&node).unwrap();
    cache.get_or_load(&1, || async { Ok::<_, Error>(Some("found".to_owned())) }).await.unwrap();
    cache.get_or_load(&2, || async { Ok::<_, Error>(None) }).await.unwrap();
    for key in ["{test}:users:1", "{test}:users:2"] {
        assert!(!is_leased(&redis, key).await, "{key}");
    }
}

#[tokio::test]
async fn a_capacity_of_nothing_keeps_nothing_in_l1() {
    use Outcome::Loaded;
    for build in [|| users().l1_entries(0), || users().l1_weight(0, |_, _| 1)] {
        let node = lonely_node().await;
        let cache = build().build(&node).unwrap();
        for _ in 0..3 {
            assert_eq!(Source::new().read(&cache, 1).await.outcome, Loaded);
            node.upkeep().await;
            assert_eq!(cache.report().l1.entries, 0);
        }
    }
}

#[tokio::test]
async fn without_a_negative_time_to_live_not_found_is_not_remembered() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = users().negative_time_to_live(Duration::ZERO).build(&node).unwrap();
    for _ in 0..3 {
        let read = cache.get_or_load(&1, || async { Ok::<_, Error>(None) }).await.unwrap();
        assert_eq!((read.outcome, read.value), (Outcome::Loaded, None));
    }
}

#[tokio::test]
async fn the_longest_times_to_live_are_as_good_as_for_ever() {
    use Outcome::{L1Hit, L2Hit, Loaded};
    for huge in HUGE {
        let build = || {
            users()
                .time_to_live(huge)
                .time_to_idle(huge)
                .l2_time_to_live(huge)
                .negative_time_to_live(huge)
                .load_timeout(huge)
                .soft_timeout(huge)
                .retry_after(huge)
                .grace(huge)
                .refresh_ahead(f64::MAX)
        };
        assert_eq!(outcomes(build).await, [Loaded, L1Hit, L2Hit]);
    }
}

#[tokio::test]
async fn an_entry_may_bring_the_longest_time_to_live_or_none() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = users().grace(Duration::MAX).build(&node).unwrap();
    let read = async |key: u64, time_to_live| {
        let load = move || async move {
            let loaded = Loaded::from("value".to_owned()).time_to_live(time_to_live);
            Ok::<_, Error>(Some(loaded))
        };
        cache.get_or_load_entry(&key, load).await.unwrap().outcome
    };
    for key in [1, 2] {
        read(key, HUGE[key as usize - 1]).await;
        assert_eq!(read(key, Duration::MAX).await, Outcome::L1Hit);
    }
    for _ in 0..2 {
        assert_eq!(read(3, Duration::ZERO).await, Outcome::Loaded);
    }
}

#[tokio::test]
async fn whoever_may_hardly_wait_for_a_load_gets_a_timeout_and_no_lease_stays() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = users().load_timeout(Duration::from_millis(1)).build(&node).unwrap();
    let never = || std::future::pending::<Result<Option<String>, Error>>();
    assert!(matches!(cache.get_or_load(&1, never).await, Err(LoadError::TimedOut)));
    eventually("the load ends", async || cache.report().loads.failure.count() == 1).await;
    eventually("no lease stays", async || !is_leased(&redis, "{test}:users:1").await).await;
}

#[tokio::test]
async fn whoever_may_not_wait_for_a_lease_loads_at_once() {
    let redis = Redis::start().await;
    let node = onlooker(&redis).await;
    let cache = users().lease_wait(Duration::ZERO).build(&node).unwrap();
    let () = redis.ask(&["SET", "{test}:users:1", "lease:somebody"]).await;
    assert_eq!(Source::new().read(&cache, 1).await.outcome, Outcome::Loaded);
}

#[tokio::test]
async fn whoever_may_wait_for_ever_for_a_lease_reads_what_its_holder_loads() {
    for huge in HUGE {
        let redis = Redis::start().await;
        let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
        let build = |node| users().lease_wait(huge).build(node).unwrap();
        let (here, there) = (build(&one), build(&two));
        let source = Source::closed();
        let loading = tokio::spawn({
            let source = source.clone();
            async move { source.read(&here, 1).await.outcome }
        });
        eventually("the load begins", async || source.loads() == 1).await;
        let waiting = tokio::spawn({
            let source = source.clone();
            async move { source.read(&there, 1).await.outcome }
        });
        source.open();
        assert_eq!(loading.await.unwrap(), Outcome::Loaded);
        assert_eq!(waiting.await.unwrap(), Outcome::L2Hit);
    }
}

#[tokio::test]
async fn shares_that_make_no_sense_are_taken_as_the_nearest_that_do() {
    let node = lonely_node().await;
    let source = Source::new();
    for (n, share) in [f64::NAN, -1.0, f64::NEG_INFINITY, f64::INFINITY, -0.0].iter().enumerate() {
        let cache = Cache::builder(&format!("users-{n}"))
            .jitter(*share)
            .refresh_ahead(*share)
            .time_to_live(Duration::from_secs(60))
            .build(&node)
            .unwrap();
        source.read(&cache, 1).await;
        let read = source.read(&cache, 1).await;
        assert_eq!(read.outcome, Outcome::L1Hit, "{share}");
        assert!(read.expires_in.unwrap() > Duration::from_secs(30), "{share} shortens nothing");
        let settings = cache.report().settings;
        assert_eq!((settings.jitter, settings.refresh_ahead), (0.0, 0.0), "{share}");
    }
    let eager = Cache::<u64, String>::builder("eager").jitter(7.0).refresh_ahead(f64::MAX);
    let settings = eager.build(&node).unwrap().report().settings;
    assert_eq!((settings.jitter, settings.refresh_ahead), (1.0, 1_000.0));
}

#[tokio::test]
async fn entries_that_weigh_nothing_count_as_one_byte_so_that_l1_stays_bounded() {
    let node = lonely_node().await;
    let cache = users().l1_weight(100, |_, _| 0).build(&node).unwrap();
    let source = Source::new();
    for key in 0..1_000 {
        source.read(&cache, key).await;
    }
    node.upkeep().await;
    let report = cache.report();
    assert!(report.l1.entries <= 100, "{} entries", report.l1.entries);
    assert!(report.l1.entries > 0, "nothing is kept");
}

#[tokio::test]
async fn an_entry_heavier_than_l1_is_served_and_not_kept() {
    let node = lonely_node().await;
    let cache = users().l1_weight(u64::from(u32::MAX) - 1, |_, _| u32::MAX).build(&node).unwrap();
    let source = Source::new();
    for _ in 0..3 {
        assert_eq!(source.read(&cache, 1).await.outcome, Outcome::Loaded);
        node.upkeep().await;
        assert_eq!(cache.report().l1.entries, 0);
    }
}

#[tokio::test]
async fn the_largest_capacity_and_the_heaviest_entries_add_up() {
    let node = lonely_node().await;
    let heavy = users().l1_weight(u64::MAX, |_, _| u32::MAX).build(&node).unwrap();
    let many = Cache::builder("many").l1_entries(u64::MAX).build(&node).unwrap();
    let source = Source::new();
    for cache in [&heavy, &many] {
        for key in [1, 2, 1, 2] {
            source.read(cache, key).await;
        }
        node.upkeep().await;
        assert_eq!(cache.report().l1.entries, 2);
        assert_eq!(cache.report().outcomes.l1_hit, 2);
    }
    assert_eq!(heavy.report().l1.weight_bytes, Some(2 * u64::from(u32::MAX)));
}

#[tokio::test]
async fn a_node_with_hardly_any_patience_answers_and_one_with_too_much_uses_l2() {
    let redis = Redis::start().await;
    let source = Source::new();
    let read = async |l2_timeout| {
        let node = Node::builder("test").redis_url(&redis.url()).l2_timeout(l2_timeout);
        let cache = users().build(&node.start().await.unwrap()).unwrap();
        source.read(&cache, 1).await.outcome
    };
    assert_eq!(read(Duration::MAX).await, Outcome::Loaded);
    // A Redis on the same machine may answer in time.
    let hardly_any = read(Duration::from_millis(1)).await;
    assert!(matches!(hardly_any, Outcome::Loaded | Outcome::L2Hit), "{hardly_any:?}");
    assert_eq!(read(Duration::MAX).await, Outcome::L2Hit);
}

#[tokio::test]
async fn a_name_is_free_again_when_its_cache_is_gone() {
    let node = lonely_node().await;
    let first = users().build(&node).unwrap();
    assert!(
        matches!(users().build(&node), Err(BuildError::DuplicateName(name)) if name == "users")
    );
    drop(first);
    users().build(&node).unwrap();
}

#[tokio::test]
async fn caches_of_one_name_and_other_values_on_two_nodes_miss_each_others_entries() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let texts = users().build(&one).unwrap();
    let numbers: Cache<u64, Vec<u64>> = Cache::builder("users").build(&two).unwrap();
    Source::new().read(&texts, 1).await;
    let load = || async { Ok::<_, Error>(Some(vec![1])) };
    assert_eq!(numbers.get_or_load(&1, load).await.unwrap().outcome, Outcome::Loaded);
    assert!(numbers.report().l2_unreadable > 0);
    assert_eq!(numbers.get_or_load(&1, load).await.unwrap().outcome, Outcome::L1Hit);
}

#[tokio::test]
async fn sixty_four_groups_are_not_too_many() {
    let node = lonely_node().await;
    let mut cache = users();
    for n in 0..64 {
        cache = cache.group(&format!("{n}"));
    }
    let cache = cache.build(&node).unwrap();
    Source::new().read(&cache, 63).await;
    let groups = cache.report().groups.groups;
    let last = groups.iter().find(|group| group.group == "63").unwrap();
    assert_eq!(last.outcomes.loaded, 1);
}
