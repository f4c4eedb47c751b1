//! Writers of the durable kind on three nodes, while answers are lost, connections break, Redis
//! hangs, sinks fail, panic and hang, flushers die and runtimes are dropped. In the end, each
//! acknowledged value, or a newer version of its key, is in the table or a dead letter.

mod node;
mod sink;
mod trouble;
mod world;

use std::time::{Duration, Instant};

use world::World;

/// The least number of acknowledged writes, and the least duration of the storm.
const MIN_WRITES: u64 = 500;
const MIN_TIME: Duration = Duration::from_secs(6);
const LONGEST: Duration = Duration::from_secs(1_500);

/// How many writes to make; `STRATA_STORM_WRITES` raises it.
fn writes_wanted() -> u64 {
    let wanted = std::env::var("STRATA_STORM_WRITES").ok().and_then(|text| text.parse().ok());
    wanted.unwrap_or(MIN_WRITES)
}

#[expect(clippy::print_stdout, reason = "what was checked is told")]
async fn storm() {
    let world = World::start().await;
    let writers = world.begin();
    let (began, wanted) = (Instant::now(), writes_wanted());
    while began.elapsed() < MIN_TIME || world.acknowledged() < wanted {
        assert!(began.elapsed() < LONGEST, "{}", world.told());
        trouble::one(&world).await;
    }
    world.end(writers).await;
    println!("{}, in {:.0?}", world.told(), began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost_whatever_fails_around_it() {
    storm().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: ./dev test long"]
async fn of_many_acknowledged_writes_none_is_lost_whatever_fails_around_them() {
    storm().await;
}
