//! Reads by key group, and entries that leave L1.

use std::collections::HashMap;
use std::io::Error;

use strata_cache::report::{CacheReport, GroupReport};
use strata_cache::{BuildError, Cache};

#[cfg(feature = "redis")]
use crate::support::Redis;
use crate::support::{Source, cache, lonely_node};

type Pages = Cache<String, String>;

async fn read(cache: &Pages, key: &str) {
    let value = key.to_owned();
    cache.get_or_load(&key.to_owned(), async || Ok::<_, Error>(Some(value))).await.unwrap();
}

fn group<'a>(report: &'a CacheReport, name: &str) -> &'a GroupReport {
    report.groups.groups.iter().find(|group| group.group == name).unwrap()
}

#[tokio::test]
async fn a_read_is_counted_in_the_group_of_the_first_template_that_its_key_fits() {
    let node = lonely_node().await;
    let cache: Pages = Cache::builder("pages")
        .group("author:{id}:page:{n}")
        .group("author:{id}")
        .build(&node)
        .unwrap();
    for key in ["author:1", "author:2", "author:1", "author:1:page:3", "front"] {
        read(&cache, key).await;
    }
    let report = cache.report();
    let counts = |name| {
        let outcomes = group(&report, name).outcomes;
        (outcomes.loaded, outcomes.l1_hit)
    };
    assert_eq!(counts("author:{id}"), (2, 1));
    assert_eq!(counts("author:{id}:page:{n}"), (1, 0));
    assert_eq!(counts("other"), (1, 0));
    assert_eq!(group(&report, "author:{id}").loads.count(), 2);
    assert_eq!(group(&report, "author:{id}").l1_entries, 2);
}

#[tokio::test]
async fn the_groups_add_up_to_the_cache_whatever_the_outcome() {
    let node = lonely_node().await;
    let cache: Pages = Cache::builder("pages").group("a:{id}").build(&node).unwrap();
    read(&cache, "a:1").await;
    read(&cache, "a:1").await;
    read(&cache, "b").await;
    cache.get(&"a:9".to_owned()).await;
    cache.bypass(async { Ok::<_, Error>(None) }).await.unwrap();
    let down = async || Err::<Option<String>, _>(Error::other("down"));
    assert!(cache.get_or_load(&"a:5".to_owned(), down).await.is_err());
    let report = cache.report();
    let mut sum = strata_cache::report::Outcomes::default();
    report.groups.groups.iter().for_each(|group| sum += group.outcomes);
    assert_eq!(sum, report.outcomes);
    assert_eq!((sum.reads(), sum.failed, sum.missed, sum.bypassed), (6, 1, 1, 1));
    assert_eq!(group(&report, "a:{id}").outcomes.failed, 1);
}

#[tokio::test]
async fn without_templates_all_keys_are_one_group() {
    let node = lonely_node().await;
    let cache = cache(&node);
    Source::new().read(&cache, 1).await;
    let report = cache.report();
    assert_eq!(report.groups.groups.len(), 1);
    assert_eq!(group(&report, "all").outcomes, report.outcomes);
}

#[tokio::test]
async fn names_beyond_the_sixty_fourth_are_other_and_are_said_to_be() {
    let node = lonely_node().await;
    let cache: Pages =
        Cache::builder("pages").group_by(|key: &String| key.clone()).build(&node).unwrap();
    for n in 0..70 {
        read(&cache, &n.to_string()).await;
    }
    let report = cache.report();
    assert_eq!(report.groups.groups.len(), 65);
    assert_eq!(group(&report, "other").outcomes.reads(), 6);
    assert_eq!(group(&report, "63").outcomes.reads(), 1);
    assert!(report.groups.overflow >= 6);
}

#[tokio::test]
async fn a_load_of_many_keys_counts_once_in_each_of_their_groups() {
    let node = lonely_node().await;
    let cache: Pages =
        Cache::builder("pages").group("a:{id}").group("b:{id}").build(&node).unwrap();
    let keys = ["a:1", "a:2", "b:1"].map(str::to_owned);
    cache
        .get_many(&keys, async |keys: Vec<String>| {
            let values = keys.into_iter().map(|key| (key.clone(), key));
            Ok::<HashMap<String, String>, Error>(values.collect())
        })
        .await;
    let report = cache.report();
    assert_eq!(report.loads.success.count(), 1);
    assert_eq!(group(&report, "a:{id}").loads.count(), 1);
    assert_eq!(group(&report, "b:{id}").loads.count(), 1);
    assert!(group(&report, "a:{id}").saved().is_some());
}

#[tokio::test]
async fn what_leaves_l1_is_counted_in_its_group_with_its_age() {
    let node = lonely_node().await;
    let cache: Pages = Cache::builder("pages")
        .group("a:{id}")
        .l1_weight(1_000, |_, value: &String| value.len() as u32)
        .build(&node)
        .unwrap();
    read(&cache, "a:1").await;
    read(&cache, "a:22").await;
    node.upkeep().await;
    assert_eq!(group(&cache.report(), "a:{id}").l1_weight_bytes, Some(7));
    cache.invalidate(&"a:22".to_owned()).await;
    node.upkeep().await;
    let report = cache.report();
    assert_eq!(group(&report, "a:{id}").evictions.explicit, 1);
    assert_eq!(group(&report, "a:{id}").l1_weight_bytes, Some(3));
    assert_eq!(report.l1.ages_ms.explicit.count(), 1);
    assert_eq!(report.l1.put_bytes.map(|bytes| (bytes.count(), bytes.sum())), Some((2, 7)));
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn the_size_of_what_goes_to_redis_is_counted() {
    let redis = Redis::start().await;
    let cache = cache(&redis.node("1").await);
    cache.insert(&1, "x".repeat(3_000)).await;
    let bytes = cache.report().l2_put_bytes;
    assert_eq!(bytes.count(), 1);
    assert!((3_000..3_200).contains(&bytes.sum()), "{}", bytes.sum());
}

#[tokio::test]
async fn a_template_that_is_none_is_refused_as_the_cache_is_built() {
    let node = lonely_node().await;
    let built = Cache::<String, String>::builder("pages").group("author:{id").build(&node);
    assert!(matches!(built, Err(BuildError::BadTemplate(text)) if text == "author:{id"));
    let mut many = Cache::<String, String>::builder("pages");
    for n in 0..65 {
        many = many.group(&format!("{n}:{{id}}"));
    }
    assert!(matches!(many.build(&node), Err(BuildError::TooManyGroups)));
}
