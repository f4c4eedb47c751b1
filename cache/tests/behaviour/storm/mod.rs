//! Everything around the cache fails at random. Redis hangs, dies, loses its data, refuses and
//! becomes a replica; connections are cut, tasks die, runtimes are dropped, and every log line
//! panics. No read is older than its own node's last acknowledged change, nor older than another
//! node's once the stated windows have passed.

mod node;
mod trouble;
mod world;

use std::time::{Duration, Instant};

use world::World;

/// The least number of checked reads, and the least duration of the storm.
const MIN_READS: u64 = 20_000;
const MIN_TIME: Duration = Duration::from_secs(40);
const LONGEST: Duration = Duration::from_secs(1_500);

/// How many reads to check; `STRATA_STORM_READS` raises it.
fn reads_wanted() -> u64 {
    let wanted = std::env::var("STRATA_STORM_READS").ok().and_then(|text| text.parse().ok());
    wanted.unwrap_or(MIN_READS)
}

#[expect(clippy::print_stdout, reason = "what was checked is told")]
async fn storm() {
    // A log that panics must neither stop the cache nor make it wrong.
    tracing::subscriber::set_global_default(node::PanickingLog).unwrap();
    let world = World::start().await;
    let tasks = world.begin();
    let (began, wanted) = (Instant::now(), reads_wanted());
    // These two last until a node that trusts for too long would be detected.
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
