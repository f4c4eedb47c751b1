//! Everything around the cache fails at random: Redis hangs, dies, forgets, refuses and becomes a
//! replica, connections are cut, tasks die, runtimes are dropped, and every line of log panics. No
//! read is older than what its own node acknowledged, nor older than what another node acknowledged
//! before the stated windows.

mod node;
mod trouble;
mod world;

use std::time::{Duration, Instant};

use world::World;

/// So many reads are checked at least, and so long the storm lasts at least.
const MIN_READS: u64 = 20_000;
const MIN_TIME: Duration = Duration::from_secs(40);
const LONGEST: Duration = Duration::from_secs(1_500);

/// How many reads to check; `STRATA_STORM_READS` makes it more.
fn reads_wanted() -> u64 {
    let wanted = std::env::var("STRATA_STORM_READS").ok().and_then(|text| text.parse().ok());
    wanted.unwrap_or(MIN_READS)
}

#[expect(clippy::print_stdout, reason = "what was checked is told")]
async fn storm() {
    // A log that cannot be written is no reason to stop, and none to lie.
    tracing::subscriber::set_global_default(node::PanickingLog).unwrap();
    let world = World::start().await;
    let tasks = world.begin();
    let (began, wanted) = (Instant::now(), reads_wanted());
    // These two last until whoever trusts for too long is found out.
    trouble::nobody_hears(&world).await;
    trouble::a_runtime_is_dropped(&world, 0).await;
    while began.elapsed() < MIN_TIME || world.checked() < wanted {
        assert!(began.elapsed() < LONGEST, "{}", world.told());
        trouble::one(&world).await;
    }
    world.end(tasks).await;
    println!("{}, in {:.0?}", world.told(), began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_is_older_than_the_windows_allow_whatever_fails_around_the_cache() {
    storm().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: ./dev test long"]
async fn a_million_reads_are_not_older_than_the_windows_allow_whatever_fails() {
    storm().await;
}
