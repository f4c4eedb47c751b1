//! What a lesson shows of the commands that a cache sends to Redis.

use strata_lab::{Level, LineKind, Settings, Step};

use crate::support::{Done, Laboratory, lesson, order_with};

#[tokio::test]
async fn a_lesson_shows_what_its_cache_asks_redis_and_the_database() -> Done {
    let laboratory = Laboratory::open().await?;
    let settings = Settings { items: 1, ..(lesson("two-levels")?.settings)() };
    let state = laboratory.lab.start(order_with(lesson("two-levels")?, settings))?.ended().await;
    let [_, cache_aside] = state.contenders.as_slice() else { return Err("two rows".into()) };
    let [first, on_another, after_restart, once_more] = cache_aside.steps.as_slice() else {
        return Err("four steps".into());
    };
    let loaded = "SELECT id, version, body FROM items WHERE id = ? [1]";
    assert_eq!(told(first), ["GET 1: nothing", "SET 1 lease NX", loaded, "EVALSHA commit 1"]);
    assert_eq!(told(on_another), ["GET 1"], "Redis has it");
    assert_eq!(told(after_restart), ["GET 1"], "with nothing of how a node starts");
    assert_eq!(told(once_more), [""; 0], "L1 has it");
    let commands = first.lines.iter().filter(|line| line.kind == LineKind::Command);
    let places: Vec<_> = commands.map(|line| (line.level, line.node)).collect();
    let redis = (Level::L2, Some(1));
    assert_eq!(places, [redis, redis, (Level::Source, None), redis]);
    Ok(())
}

#[tokio::test]
async fn the_fill_that_a_write_has_overtaken_is_seen_to_be_refused() -> Done {
    let laboratory = Laboratory::open().await?;
    let settings = Settings { requests: 0, ..Settings::default() };
    let state = laboratory.lab.start(order_with(lesson("cache-aside")?, settings))?.ended().await;
    let steps = &state.contenders.first().ok_or("no contender")?.steps;
    let all: Vec<&str> = steps.iter().flat_map(told).collect();
    assert!(all.contains(&"EVALSHA remove 50") && all.contains(&"EVALSHA commit 50: refused"));
    Ok(())
}

#[tokio::test]
async fn a_pattern_is_seen_to_walk_and_what_is_by_hand_is_told_once() -> Done {
    let laboratory = Laboratory::open().await?;
    let settings = Settings { items: 8, nodes: 2, requests: 0, ..Settings::default() };
    let order = order_with(lesson("pattern")?, settings);
    let state = laboratory.lab.start(order)?.ended().await;
    let [ours, in_redis] = state.contenders.as_slice() else { return Err("two rows".into()) };
    let commands: Vec<&str> = ours.steps.iter().flat_map(told).collect();
    for expected in ["SCAN 0 MATCH 7*", "UNLINK 7", "EVALSHA announce bus"] {
        assert!(commands.contains(&expected), "{expected} in {commands:#?}");
    }
    let by_hand: Vec<&str> = in_redis.steps.iter().flat_map(told).collect();
    let n_removals = by_hand.iter().filter(|command| **command == "UNLINK 7").count();
    assert_eq!(n_removals, 1, "{by_hand:#?}");
    Ok(())
}

#[tokio::test]
async fn the_durable_queue_is_seen_at_work_and_not_at_rest() -> Done {
    let laboratory = Laboratory::open().await?;
    let lesson = lesson("write-behind")?;
    let state = laboratory.lab.start(order_with(lesson, (lesson.settings)()))?.ended().await;
    let durable = state.contenders.last().ok_or("no contender")?;
    let all: Vec<&str> = durable.steps.iter().flat_map(told).collect();
    let is_done = all.iter().any(|command| command.starts_with("EVALSHA queue done "));
    // The run may end between the commit and the script that takes the rows out of the queue.
    let ends_at_commit = all.last().is_some_and(|command| command.starts_with("INSERT"));
    assert!(is_done || ends_at_commit, "{all:#?}");
    let last: Vec<&str> = durable.steps.last().map(told).unwrap_or_default();
    let n = |name: &str| last.iter().filter(|command| command.starts_with(name)).count();
    // What the killed node had in hand is claimed, the rest taken.
    let n_rounds = n("EVALSHA queue take writes") + n("EVALSHA queue claim writes");
    let n_done = n("EVALSHA queue done ");
    // The step may end before the last of them is done.
    assert!(n_rounds <= n_done + 1, "rounds that find nothing are not told: {last:#?}");
    Ok(())
}

/// The commands of a step, in the order in which they began.
fn told(step: &Step) -> Vec<&str> {
    let mut commands: Vec<_> =
        step.lines.iter().filter(|line| line.kind == LineKind::Command).collect();
    commands.sort_by_key(|line| line.began_us());
    commands.into_iter().map(|line| line.command.as_str()).collect()
}
