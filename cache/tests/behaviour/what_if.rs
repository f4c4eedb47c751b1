//! The hit ratio with other capacities, compared with caches of these capacities.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::process::Command;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use strata_cache::report::WhatIf;
use strata_cache::{Cache, Observer};

use crate::support::{Source, cache, lonely_node};

const FACTORS: [f64; 5] = [0.5, 1.0, 2.0, 4.0, 8.0];

/// The greatest allowed error of the estimate. On the recorded trace the error is 0.01, and 0.05 on
/// the steeper part of the synthetic curve, where every entry counts.
const TOLERANCE: f64 = 0.08;

/// Keys of a Zipf distribution with exponent 0.9, the same each time.
fn zipf(n_keys: u64, n_reads: usize) -> Vec<u64> {
    let mut sum = 0.0;
    let cumulated: Vec<f64> = (1..=n_keys)
        .map(|rank| {
            sum += (rank as f64).powf(-0.9);
            sum
        })
        .collect();
    let mut random = StdRng::seed_from_u64(7);
    let key = |_| cumulated.partition_point(|upto| *upto < random.random::<f64>() * sum) as u64;
    (0..n_reads).map(key).collect()
}

/// The recorded keys of a web shop, if `STRATA_TRACES` names the directory with the traces.
fn web07() -> Option<Vec<u64>> {
    let path = Path::new(&std::env::var_os("STRATA_TRACES")?).join("web07.keys.gz");
    let text = Command::new("gzip").arg("-dc").arg(path).output().unwrap().stdout;
    let number = |line: &[u8]| {
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        hasher.finish()
    };
    Some(text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(number).collect())
}

/// The hit ratio of a bare moka cache.
fn measured(keys: &[u64], capacity: f64) -> f64 {
    let moka = moka::sync::Cache::new(capacity as u64);
    let mut hits = 0;
    for key in keys {
        if moka.get(key).is_some() {
            hits += 1;
        } else {
            moka.insert(*key, ());
        }
    }
    f64::from(hits) / keys.len() as f64
}

async fn curve(keys: &[u64], capacity: u64) -> WhatIf {
    let node = lonely_node().await;
    let observer = Observer::new(&node, "objects").unwrap();
    let builder = moka::sync::Cache::builder().max_capacity(capacity);
    let moka = builder.eviction_listener(observer.listener()).build();
    let cache = observer.observe_keys(moka);
    for some in keys.chunks(500) {
        some.iter().for_each(|key| cache.get_with(*key, || ()));
        node.upkeep().await;
    }
    cache.report().what_if.unwrap()
}

async fn compare(name: &str, keys: &[u64], capacity: u64) {
    let curve = curve(keys, capacity).await;
    assert!(curve.reads + 500 >= keys.len() as u64, "it begins with the first entries");
    let estimates: HashMap<String, (f64, f64)> = FACTORS
        .iter()
        .map(|factor| {
            let estimate = curve.hit_ratio(*factor).unwrap();
            (factor.to_string(), (estimate, measured(keys, capacity as f64 * factor)))
        })
        .collect();
    for (factor, (estimate, measured)) in estimates {
        let off = (estimate - measured).abs();
        assert!(off < TOLERANCE, "{name} x {factor}: {estimate:.3} against {measured:.3}");
    }
}

#[tokio::test]
async fn the_curve_is_close_to_what_caches_of_those_capacities_have() {
    compare("zipf", &zipf(20_000, 60_000), 500).await;
    if let Some(keys) = web07() {
        compare("web07", &keys, 1_000).await;
    }
}

#[tokio::test]
async fn at_its_own_capacity_the_curve_says_what_the_cache_has() {
    let node = lonely_node().await;
    let cache = Cache::builder("users").l1_entries(300).build(&node).unwrap();
    let source = Source::new();
    node.upkeep().await;
    for some in zipf(5_000, 20_000).chunks(500) {
        for key in some {
            source.read(&cache, *key).await;
        }
        node.upkeep().await;
    }
    let report = cache.report();
    let own = report.outcomes.l1_hit as f64 / report.outcomes.reads() as f64;
    let what_if = report.what_if.unwrap();
    let estimate = what_if.hit_ratio(1.0).unwrap();
    assert!((estimate - own).abs() < TOLERANCE, "{estimate:.3} against {own:.3}");
    assert!(what_if.hit_ratio(0.5) < what_if.hit_ratio(8.0));
}

#[tokio::test]
async fn a_weighted_cache_varies_its_bytes() {
    let node = lonely_node().await;
    let cache = Cache::builder("users")
        .l1_weight(30_000, |_, value: &String| value.len() as u32 * 100)
        .build(&node)
        .unwrap();
    let source = Source::new();
    for some in zipf(5_000, 20_000).chunks(500) {
        for key in some {
            source.read(&cache, *key).await;
        }
        node.upkeep().await;
    }
    let what_if = cache.report().what_if.unwrap();
    assert!((1.0..2.0).contains(&what_if.sampled_one_in), "300 entries: {what_if:?}");
    assert!(what_if.hit_ratio(0.5).unwrap() + 0.05 < what_if.hit_ratio(4.0).unwrap());
}

#[tokio::test]
async fn too_few_reads_give_no_curve_and_no_capacity_has_none_at_all() {
    let node = lonely_node().await;
    let users = cache(&node);
    node.upkeep().await;
    Source::new().read(&users, 1).await;
    let curve = users.report().what_if.unwrap();
    assert!(FACTORS.iter().all(|factor| curve.hit_ratio(*factor).is_none()), "{curve:?}");
    let nothing: Cache<u64, String> = Cache::builder("none").l1_entries(0).build(&node).unwrap();
    assert_eq!(nothing.report().what_if, None);
}
