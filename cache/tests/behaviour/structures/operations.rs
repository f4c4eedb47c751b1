//! The effect of each operation.

use std::collections::BTreeSet;
use std::time::Duration;

use strata_cache::{BuildError, Cache, Observer};

use super::{HOUR, MINUTE, at, bytes, carts};
use crate::support::Redis;

#[tokio::test]
async fn fields_of_a_hash_are_set_read_and_removed_on_every_node() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    let (_other, elsewhere) = self::carts(&redis).await;
    let (here, there) = (carts.hash(7), elsewhere.hash("7"));

    assert_eq!(here.set([("tea", "1"), ("milk", "2")], MINUTE).await, Ok(2));
    assert_eq!(there.set([("tea", "3")], MINUTE).await, Ok(0), "tea is not new");
    assert_eq!(here.get("tea").await, Ok(Some(b"3".to_vec())));
    assert_eq!(here.get("salt").await, Ok(None));
    let many = here.get_many(["milk", "salt", "tea"]).await.unwrap();
    assert_eq!(many, [Some(b"2".to_vec()), None, Some(b"3".to_vec())]);
    let all = there.get_all().await.unwrap();
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(there.remove(["tea", "salt"]).await, Ok(1));
    assert_eq!(here.length().await, Ok(1));
    assert_eq!(here.remove(["milk"]).await, Ok(1));
    assert_eq!(carts.exists(7).await, Ok(false), "a hash without fields is gone");
}

#[tokio::test]
async fn a_hash_takes_more_fields_at_once_than_lua_can_unpack_and_any_bytes() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    let large = carts.hash("large");
    let fields = (0..20_000_u32).map(|n| (n.to_be_bytes(), [0xff, b'\r', b'\n', 0]));
    assert_eq!(large.set(fields, MINUTE).await, Ok(20_000));
    let last = large.get(19_999_u32.to_be_bytes()).await;
    assert_eq!(last, Ok(Some(vec![0xff, b'\r', b'\n', 0])));
}

#[tokio::test]
async fn a_list_is_pushed_at_both_ends_trimmed_at_the_other_and_popped() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    let list = carts.list("recent");

    assert_eq!(list.push_back(["a", "b", "c", "d"], 3, MINUTE).await, Ok(3));
    assert_eq!(list.range(..).await, Ok(bytes(&["b", "c", "d"])));
    assert_eq!(list.push_front(["x", "y"], 4, MINUTE).await, Ok(4));
    assert_eq!(list.range(..).await, Ok(bytes(&["y", "x", "b", "c"])));
    assert_eq!(list.pop_front().await, Ok(Some(b"y".to_vec())));
    assert_eq!(list.pop_back().await, Ok(Some(b"c".to_vec())));
    assert_eq!(list.length().await, Ok(2));
    assert_eq!(list.push_back(["z"], 0, MINUTE).await, Ok(1), "one is kept at least");
    assert_eq!(list.pop_front().await, Ok(Some(b"z".to_vec())));
    assert_eq!(list.pop_front().await, Ok(None));
}

#[tokio::test]
async fn a_range_of_a_list_is_a_range_as_rust_knows_it() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    let list = carts.list("abc");
    list.push_back(["a", "b", "c"], 10, MINUTE).await.unwrap();
    assert_eq!(list.range(..2).await, Ok(bytes(&["a", "b"])));
    assert_eq!(list.range(1..).await, Ok(bytes(&["b", "c"])));
    assert_eq!(list.range(1..=1).await, Ok(bytes(&["b"])));
    assert_eq!(list.range(2..usize::MAX).await, Ok(bytes(&["c"])));
    for none in [0..0, 1..1, 3..9] {
        assert_eq!(list.range(none.clone()).await, Ok(Vec::new()), "{none:?}");
    }
}

#[tokio::test]
async fn a_counter_counts_is_read_and_set_exactly() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    let counter = carts.counter("orders");
    assert_eq!(counter.get().await, Ok(None));
    assert_eq!(counter.add(5, MINUTE).await, Ok(5));
    assert_eq!(counter.add(-7, MINUTE).await, Ok(-2));
    assert_eq!(counter.set(i64::MAX - 2, MINUTE).await, Ok(()));
    assert_eq!(counter.add(1, MINUTE).await, Ok(i64::MAX - 1), "not to 53 bits only");
    assert_eq!(counter.get().await, Ok(Some(i64::MAX - 1)));
}

#[tokio::test]
async fn a_key_exists_expires_and_is_removed_whatever_its_kind() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    assert_eq!(carts.exists("a").await, Ok(false));
    assert_eq!(carts.time_to_live("a").await, Ok(None));
    assert_eq!(carts.expire("a", HOUR).await, Ok(false));
    assert_eq!(carts.remove("a").await, Ok(false));

    carts.list("a").push_back(["x"], 9, MINUTE).await.unwrap();
    assert_eq!(carts.exists("a").await, Ok(true));
    assert_eq!(carts.expire("a", HOUR).await, Ok(true));
    let left = carts.time_to_live("a").await.unwrap().unwrap();
    assert!(left > MINUTE && left <= HOUR, "{left:?}");
    let () = redis.ask(&["PERSIST", &at("a")]).await;
    assert_eq!(carts.time_to_live("a").await, Ok(Some(Duration::MAX)));
    assert_eq!(carts.remove("a").await, Ok(true));
    assert_eq!(carts.exists("a").await, Ok(false));
}

#[tokio::test]
async fn writing_nothing_leaves_everything_as_it_is() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    let none: [&str; 0] = [];
    assert_eq!(carts.hash(1).set::<&str, &str>([], HOUR).await, Ok(0));
    assert_eq!(carts.hash(1).get_many(none).await, Ok(Vec::new()));
    assert_eq!(carts.hash(1).remove(none).await, Ok(0));
    assert_eq!(carts.list(1).push_back(none, 9, HOUR).await, Ok(0));
    assert_eq!(carts.exists(1).await, Ok(false));
}

#[tokio::test]
async fn structures_and_caches_of_one_node_do_not_share_a_name() {
    let redis = Redis::start().await;
    let (node, carts) = carts(&redis).await;
    let taken = |built: Result<(), BuildError>| matches!(built, Err(BuildError::DuplicateName(_)));
    assert!(taken(Cache::<u64, u64>::builder("carts").build(&node).map(drop)));
    assert!(taken(Observer::new(&node, "carts").map(drop)));
    let _users = crate::support::cache(&node);
    assert!(taken(node.structures("users").map(drop)));
    assert!(matches!(node.structures("Carts"), Err(BuildError::BadName(_))));
    carts.counter(1).add(1, HOUR).await.unwrap();
    assert_eq!(node.structures("carts").unwrap().counter(1).get().await, Ok(Some(1)));
}

#[tokio::test]
async fn structures_are_no_entries_of_caches() {
    let redis = Redis::start().await;
    let (node, carts) = carts(&redis).await;
    let cache = crate::support::cache(&node);
    cache.insert(&1, "one".to_owned()).await;
    carts.hash(1).set([("a", "b")], HOUR).await.unwrap();
    carts.list(2).push_back(["a"], 9, HOUR).await.unwrap();
    carts.counter(3).add(1, HOUR).await.unwrap();
    let counts = node.count_l2().await.unwrap();
    assert_eq!(counts.len(), 1, "{counts:?}");
    assert_eq!((counts[0].0.as_str(), counts[0].1), ("users", 1));
    cache.clear().await;
    assert_eq!(carts.counter(3).get().await, Ok(Some(1)));
}
