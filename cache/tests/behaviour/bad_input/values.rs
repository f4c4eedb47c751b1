//! Values that cannot be written, cannot be read, or are far too large.

use std::io::Error;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strata_cache::report::Outcome;
use strata_cache::{Cache, Node, Value};

use crate::support::ways::onlooker;
use crate::support::{Redis, eventually};

/// A value that fails on its way to L2 or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flawed {
    Sound(u64),
    CannotBeWritten(u64),
    PanicsWhenWritten(u64),
    CannotBeRead,
    PanicsWhenRead,
}

use Flawed::{CannotBeRead, CannotBeWritten, PanicsWhenRead, PanicsWhenWritten, Sound};

impl Serialize for Flawed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Sound(n) => serializer.serialize_str(&n.to_string()),
            CannotBeWritten(_) | PanicsWhenWritten(_) => {
                assert!(!matches!(self, PanicsWhenWritten(_)), "no form");
                Err(serde::ser::Error::custom("no form"))
            }
            CannotBeRead => serializer.serialize_str("gibberish"),
            PanicsWhenRead => serializer.serialize_str("panic"),
        }
    }
}

impl<'de> Deserialize<'de> for Flawed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        assert_ne!(text, "panic", "no value");
        text.parse().map(Sound).map_err(serde::de::Error::custom)
    }
}

fn values<V: Value>(node: &Node) -> Cache<u64, V> {
    // A busy machine may take seconds for so large a value.
    let patience = Duration::from_secs(60);
    let builder = Cache::builder("values").lease_wait(Duration::from_secs(2));
    builder.load_timeout(patience).build(node).unwrap()
}

async fn read<V: Value + Clone>(cache: &Cache<u64, V>, value: V) -> (Outcome, V) {
    let load = || async { Ok::<_, Error>(Some(value)) };
    let read = cache.get_or_load(&1, load).await.unwrap();
    (read.outcome, V::clone(&read.value.unwrap()))
}

async fn l2_is_empty(redis: &Redis) {
    let held: Option<String> = redis.ask(&["GET", "{test}:values:1"]).await;
    assert_eq!(held, None);
}

#[tokio::test]
async fn a_value_that_cannot_be_written_lives_in_l1() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (values(&one), values(&two));
    assert_eq!(read(&here, CannotBeWritten(1)).await.0, Outcome::Loaded);
    assert_eq!(read(&here, CannotBeWritten(2)).await, (Outcome::L1Hit, CannotBeWritten(1)));
    assert_eq!(read(&there, Sound(3)).await, (Outcome::Loaded, Sound(3)));
}

#[tokio::test]
async fn a_value_that_cannot_be_written_leaves_nothing_in_l2() {
    let redis = Redis::start().await;
    let one = onlooker(&redis).await;
    read(&values(&one), CannotBeWritten(1)).await;
    l2_is_empty(&redis).await;
}

#[tokio::test]
async fn a_value_whose_writing_panics_lives_in_l1_and_leaves_nothing_in_l2() {
    let redis = Redis::start().await;
    let one = onlooker(&redis).await;
    let here = values(&one);
    assert_eq!(read(&here, PanicsWhenWritten(1)).await.0, Outcome::Loaded);
    assert_eq!(read(&here, PanicsWhenWritten(2)).await, (Outcome::L1Hit, PanicsWhenWritten(1)));
    l2_is_empty(&redis).await;
}

/// The written value is in the source even if the caller panics, so the older one must not be read.
async fn replaces_the_older_everywhere(new: Flawed) {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (values(&one), values(&two));
    read(&here, Sound(1)).await;
    read(&there, Sound(1)).await;
    let written = tokio::spawn({
        let here = here.clone();
        async move { here.insert(&1, new).await }
    });
    let _ = written.await;
    assert_ne!(read(&here, new).await.1, Sound(1), "the older value on this node");
    eventually("node 2 drops the older", async || read(&there, new).await.1 != Sound(1)).await;
}

#[tokio::test]
async fn a_write_of_a_value_that_has_no_form_replaces_the_older_everywhere() {
    replaces_the_older_everywhere(CannotBeWritten(2)).await;
}

#[tokio::test]
async fn a_write_of_a_value_whose_writing_panics_replaces_the_older_everywhere() {
    replaces_the_older_everywhere(PanicsWhenWritten(2)).await;
}

#[tokio::test]
async fn a_value_that_cannot_be_read_back_is_a_miss_that_is_counted() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    read(&values(&one), CannotBeRead).await;
    let there = values(&two);
    assert_eq!(read(&there, Sound(2)).await, (Outcome::Loaded, Sound(2)));
    assert!(there.report().l2_unreadable > 0);
}

#[tokio::test]
async fn a_value_whose_reading_panics_is_a_miss_that_is_counted() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    read(&values(&one), PanicsWhenRead).await;
    let there = values(&two);
    assert_eq!(read(&there, Sound(2)).await, (Outcome::Loaded, Sound(2)));
    assert!(there.report().l2_unreadable > 0);
}

#[tokio::test]
async fn a_value_that_json_changes_is_loaded_again_elsewhere() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    read(&values(&one), f64::NAN).await;
    assert_eq!(read(&values(&two), 2.0).await, (Outcome::Loaded, 2.0));
}

#[tokio::test]
async fn a_value_far_too_large_lives_in_l1_and_troubles_neither_l2_nor_the_breaker() {
    let redis = Redis::start().await;
    // Uses the default timeouts of a service, which are too short for tens of megabytes.
    let one = Node::builder("test").redis_url(&redis.url()).start().await.unwrap();
    let here = values(&one);
    let large = "x".repeat(32 << 20);
    assert_eq!(read(&here, large.clone()).await.0, Outcome::Loaded);
    assert_eq!(read(&here, String::new()).await, (Outcome::L1Hit, large));
    let l2 = one.report().l2;
    assert_eq!((l2.timeouts, l2.errors), (0, 0));
    let held: bool = redis.ask(&["EXISTS", "{test}:values:1"]).await;
    assert!(!held);
}

#[tokio::test]
async fn a_write_of_a_value_far_too_large_replaces_the_older_everywhere() {
    let redis = Redis::start().await;
    let (one, two) = (onlooker(&redis).await, onlooker(&redis).await);
    let (here, there) = (values(&one), values(&two));
    read(&here, "old".to_owned()).await;
    read(&there, "old".to_owned()).await;
    here.insert(&1, "x".repeat(32 << 20)).await;
    assert_ne!(read(&here, "new".to_owned()).await.1, "old");
    eventually("node 2 drops the older", async || read(&there, "new".to_owned()).await.1 != "old")
        .await;
}
