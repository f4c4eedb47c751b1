//! What each lesson claims, on the real stack.

use strata_lab::Settings;
use strata_report::Outcomes;

use crate::support::{Done, Laboratory};

#[tokio::test]
async fn no_cache_asks_the_database_once_for_each_read() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("no-cache").await?;
    let [none, aside] = rows.as_slice() else { return Err("two rows".into()) };
    assert_eq!(none.outcomes, Outcomes { bypassed: 200, ..Outcomes::default() });
    assert_eq!(none.queries, 200);
    assert!(none.p50_ns >= Some(5_000_000), "each waits for the database: {none:?}");
    assert!(aside.queries <= 50, "one for each item: {aside:?}");
    assert_eq!(aside.outcomes.loaded, aside.queries);
    Ok(())
}

#[tokio::test]
async fn cache_aside_forgets_an_overtaken_load_and_a_fill_by_hand_keeps_it() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("cache-aside").await?;
    let [aside, by_hand] = rows.as_slice() else { return Err("two rows".into()) };
    assert_eq!((aside.stale_reads, by_hand.stale_reads), (0, 1));
    assert_eq!((aside.lost_writes, by_hand.lost_writes), (0, 0));
    assert_eq!(aside.outcomes.loaded, aside.queries);
    assert!(aside.queries < aside.outcomes.reads(), "{aside:?}");
    Ok(())
}

#[tokio::test]
async fn read_through_asks_exactly_as_often_as_cache_aside() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("read-through").await?;
    let [aside, through] = rows.as_slice() else { return Err("two rows".into()) };
    assert_eq!(aside.outcomes, through.outcomes);
    assert_eq!((aside.queries, aside.updates), (through.queries, through.updates));
    assert_eq!((aside.stale_reads, through.stale_reads), (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_missing_item_is_asked_for_once() -> Done {
    let laboratory = Laboratory::open().await?;
    let settings = Settings { requests: 0, ..Settings::default() };
    for row in laboratory.rows_with("read-through", settings).await? {
        assert_eq!(row.queries, 1, "{row:?}");
        assert_eq!(row.outcomes, Outcomes { loaded: 1, l1_hit: 9, ..Outcomes::default() });
    }
    Ok(())
}

#[tokio::test]
async fn write_through_saves_the_load_after_each_change_and_keeps_no_older_value() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("write-through").await?;
    let [aside, through, set] = rows.as_slice() else { return Err("three rows".into()) };
    // The last read of all, after the two writers, loads with cache-aside and write-through.
    assert_eq!((aside.queries, through.queries, set.queries), (41, 21, 20));
    assert_eq!((aside.stale_reads, through.stale_reads, set.stale_reads), (0, 0, 1));
    assert!(rows.iter().all(|row| row.acknowledged == 22 && row.lost_writes == 0), "{rows:?}");
    Ok(())
}

#[tokio::test]
async fn write_behind_in_memory_loses_what_its_node_had_not_written_and_durable_nothing() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("write-behind").await?;
    let [through, memory, durable] = rows.as_slice() else { return Err("three rows".into()) };
    assert_eq!((through.acknowledged, through.refused, through.lost_writes), (100, 20, 0));
    assert_eq!((memory.acknowledged, memory.refused, memory.lost_writes), (120, 0, 20));
    assert_eq!((durable.acknowledged, durable.refused, durable.lost_writes), (120, 0, 0));
    assert!(memory.updates < 100, "many writes become few transactions: {memory:?}");
    Ok(())
}

#[tokio::test]
async fn what_one_node_loaded_every_other_finds_in_redis() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("two-levels").await?;
    let [none, two] = rows.as_slice() else { return Err("two rows".into()) };
    assert_eq!(none.queries, 80);
    assert_eq!(two.queries, 20, "one for each item");
    let expected = Outcomes { loaded: 20, l2_hit: 40, l1_hit: 20, ..Outcomes::default() };
    assert_eq!(two.outcomes, expected);
    Ok(())
}

#[tokio::test]
async fn a_pattern_in_redis_alone_leaves_every_l1_stale_and_ours_none() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("pattern").await?;
    let [ours, in_redis] = rows.as_slice() else { return Err("two rows".into()) };
    assert_eq!((ours.stale_reads, in_redis.stale_reads), (0, 2));
    // 100 items once, then the eleven that begin with 7.
    assert_eq!((ours.queries, in_redis.queries), (111, 100));
    Ok(())
}

#[tokio::test]
async fn a_stampede_by_hand_loads_many_times_and_a_single_flight_once() -> Done {
    let laboratory = Laboratory::open().await?;
    let rows = laboratory.rows("stampede").await?;
    let [by_hand, single] = rows.as_slice() else { return Err("two rows".into()) };
    assert!(by_hand.queries > 5, "{by_hand:?}");
    assert_eq!(single.queries, 1, "one load for 50 readers on two nodes");
    assert_eq!((by_hand.outcomes.reads(), single.outcomes.reads()), (50, 50));
    Ok(())
}

#[tokio::test]
async fn a_seed_gives_the_same_counts_again() -> Done {
    let laboratory = Laboratory::open().await?;
    let (one, other) =
        tokio::try_join!(laboratory.rows("cache-aside"), laboratory.rows("cache-aside"))?;
    let counts = |row: &strata_lab::ResultRow| {
        (row.outcomes, row.queries, row.updates, row.acknowledged, row.stale_reads)
    };
    let of = |rows: &[_]| rows.iter().map(counts).collect::<Vec<_>>();
    assert_eq!(of(&one), of(&other), "also where two run at once");
    Ok(())
}
