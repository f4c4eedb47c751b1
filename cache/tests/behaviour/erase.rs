//! Temporary namespaces, which are removed as a whole.

use std::convert::Infallible;
use std::time::Duration;

use strata_cache::{Node, Row, WriteBehind};

use crate::support::{Redis, cache, lonely_node};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_namespace_goes_with_all_that_it_kept_and_no_other_does() {
    let redis = Redis::start().await;
    let node = redis.hearing_node("1").await;
    let users = cache(&node);
    let mut keys: Vec<u64> = (0..2_500).collect();
    users
        .get_many(&keys.split_off(1), async |ids: Vec<u64>| {
            Ok::<_, Infallible>(ids.into_iter().map(|id| (id, id.to_string())).collect())
        })
        .await;
    users.invalidate(&7).await;
    node.structures("carts").unwrap().hash(7).set([("tea", "1")], HOUR).await.unwrap();
    let never = async |_: Vec<Row<u64, String>>| Err::<(), _>(std::io::Error::other("down"));
    let writes = WriteBehind::builder(&users).durable(never).unwrap();
    writes.write(0, "unwritten".into()).await.unwrap();
    drop(writes);

    let neighbour = Node::builder("test-2").redis_url(&redis.url()).start().await.unwrap();
    let kept = neighbour.structures("carts").unwrap();
    kept.hash(7).set([("tea", "1")], HOUR).await.unwrap();

    node.shutdown();
    assert!(node.erase_namespace().await.is_some_and(|n| n > 2_500));
    let left: Vec<String> = redis.ask(&["KEYS", "{test}*"]).await;
    assert_eq!(left, Vec::<String>::new());
    assert_eq!(kept.exists(7).await, Ok(true), "a namespace that begins alike stays");
}

#[tokio::test]
async fn where_there_is_no_redis_there_is_nothing_to_erase() {
    assert_eq!(lonely_node().await.erase_namespace().await, None);
}
