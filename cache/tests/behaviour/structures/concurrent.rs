//! Concurrent callers.

use std::collections::BTreeSet;

use super::{HOUR, at, carts};
use crate::support::Redis;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_a_list_that_is_too_long_or_has_no_end() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let list = carts.list("recent");
            tokio::spawn(async move {
                for _ in 0..100 {
                    let length = list.push_front(["a", "b", "c"], 10, HOUR).await.unwrap();
                    assert!((3..=10).contains(&length), "{length}");
                }
            })
        })
        .collect();
    let client = redis::Client::open(redis.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut look = redis::pipe();
    look.atomic().cmd("LLEN").arg(at("recent")).cmd("PTTL").arg(at("recent"));
    while writers.iter().any(|writer| !writer.is_finished()) {
        let (length, left_ms): (u64, i64) = look.query_async(&mut connection).await.unwrap();
        assert!(length <= 10 && (length == 0 || left_ms > 0), "{length} for {left_ms} ms");
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(carts.list("recent").length().await, Ok(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_count_at_once_each_gets_a_number_of_its_own() {
    let redis = Redis::start().await;
    let (_node, here) = carts(&redis).await;
    let (_other, there) = carts(&redis).await;
    let tasks: Vec<_> = (0..32)
        .map(|n| {
            let counter = if n % 2 == 0 { &here } else { &there }.counter("tickets");
            tokio::spawn(async move {
                let mut got = Vec::new();
                for _ in 0..25 {
                    got.push(counter.add(1, HOUR).await.unwrap());
                }
                got
            })
        })
        .collect();
    let mut numbers = BTreeSet::new();
    for task in tasks {
        numbers.extend(task.await.unwrap());
    }
    assert_eq!(numbers, (1..=800).collect());
}

#[tokio::test]
async fn of_many_who_pop_each_value_goes_to_one() {
    let redis = Redis::start().await;
    let (_node, carts) = carts(&redis).await;
    let list = carts.list("jobs");
    let jobs: Vec<String> = (0..200).map(|n| format!("{n:03}")).collect();
    list.push_back(&jobs, 1_000, HOUR).await.unwrap();
    let poppers: Vec<_> = (0..8)
        .map(|_| {
            let list = list.clone();
            tokio::spawn(async move {
                let mut got = Vec::new();
                while let Some(job) = list.pop_front().await.unwrap() {
                    got.push(String::from_utf8(job).unwrap());
                }
                got
            })
        })
        .collect();
    let mut popped = Vec::new();
    for popper in poppers {
        popped.extend(popper.await.unwrap());
    }
    popped.sort();
    assert_eq!(popped, jobs);
}
