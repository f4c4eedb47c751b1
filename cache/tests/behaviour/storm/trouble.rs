//! The faults.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use rand::RngExt;

use super::node::USER;
use super::world::{World, pause};
use crate::support::Redis;

/// The tasks of a node that may die.
const TASKS: [&str; 3] = ["bus", "recovery", "upkeep"];

/// Rights that a user may lose while everything else continues.
const REFUSALS: [&str; 6] = ["-xadd", "-@write", "-evalsha", "-unlink", "-xread", "-@all"];

/// Gives the nodes all rights again.
pub(super) async fn allow_all(redis: &Redis) {
    set_user(redis, "+@all").await;
}

async fn set_user(redis: &Redis, rule: &str) {
    let words = ["ACL", "SETUSER", USER, "reset", "on", ">secret", "~*", "&*", "+@all", rule];
    let () = redis.ask(&words).await;
}

/// Longer than any read may be too old.
const PAST_THE_WINDOWS: Duration = Duration::from_secs(12);

/// No node hears invalidations, which Redis continues to accept.
pub(super) async fn nobody_hears(world: &World) {
    world.faults.fetch_add(1, SeqCst);
    let redis = world.redis.lock().await;
    set_user(&redis, "-xread").await;
    tokio::time::sleep(PAST_THE_WINDOWS).await;
    allow_all(&redis).await;
}

/// The runtime is not replaced: readers continue on a node whose tasks are gone.
pub(super) async fn a_runtime_is_dropped(world: &World, n: usize) {
    world.faults.fetch_add(1, SeqCst);
    world.node(n).drop_runtime();
    tokio::time::sleep(PAST_THE_WINDOWS).await;
    world.replace(n).await;
}

/// One fault, for a while, and its repair.
pub(super) async fn one(world: &World) {
    pause(1_500).await;
    let (fault, n) = {
        let mut rng = rand::rng();
        (rng.random_range(0..10), rng.random_range(0..world.nodes.len()))
    };
    world.faults.fetch_add(1, SeqCst);
    match fault {
        0..5 => of_redis(world, fault).await,
        5 => {
            let rule = REFUSALS[rand::rng().random_range(0..REFUSALS.len())];
            let redis = world.redis.lock().await;
            set_user(&redis, rule).await;
            pause(9_000).await;
            allow_all(&redis).await;
        }
        6 => {
            let redis = world.redis.lock().await;
            let () = redis.ask(&["REPLICAOF", "127.0.0.1", "1"]).await;
            pause(9_000).await;
            let () = redis.ask(&["REPLICAOF", "NO", "ONE"]).await;
        }
        7 => a_runtime_is_dropped(world, n).await,
        _ => {
            let task = TASKS[rand::rng().random_range(0..TASKS.len())];
            world.node(n).node.tasks().abort(task);
        }
    }
}

async fn of_redis(world: &World, fault: u32) {
    let mut redis = world.redis.lock().await;
    match fault {
        0 => {
            redis.freeze();
            pause(3_000).await;
            redis.thaw();
        }
        1 => {
            redis.kill();
            pause(400).await;
            redis.restart().await;
            allow_all(&redis).await;
        }
        2 => {
            let () = redis.ask(&["FLUSHALL"]).await;
        }
        3 => {
            let () = redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "1"]).await;
            pause(9_000).await;
            let () = redis.ask(&["CONFIG", "SET", "min-replicas-to-write", "0"]).await;
        }
        _ => {
            let () = redis.ask(&["CLIENT", "KILL", "TYPE", "normal"]).await;
        }
    }
}
