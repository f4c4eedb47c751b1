use strata_cache::Tasks;
use strata_demo::{STEADY, Site, Traffic, TrafficError};
use strata_report::TrafficState;
use strata_testing::eventually;
use tokio_util::sync::CancellationToken;

use crate::support::{Done, House, N_USERS};

const OFF: TrafficState = TrafficState { running: false, ..STEADY };

#[tokio::test]
async fn settings_out_of_range_are_refused_and_change_nothing() -> Done {
    let running = start(Vec::new(), OFF);
    let traffic = &running.traffic;
    let refusals = [
        (TrafficState { rate_per_s: 20_001, ..OFF }, TrafficError::Rate(20_001)),
        (TrafficState { skew: -0.1, ..OFF }, TrafficError::Skew(-0.1)),
        (TrafficState { skew: 3.1, ..OFF }, TrafficError::Skew(3.1)),
        (TrafficState { write_share: 1.5, ..OFF }, TrafficError::WriteShare(1.5)),
    ];
    for (state, error) in refusals {
        assert_eq!(traffic.set(state), Err(error));
    }
    assert!(traffic.set(TrafficState { skew: f64::NAN, ..OFF }).is_err());
    assert_eq!(traffic.state(), OFF);
    let widest = TrafficState { rate_per_s: 20_000, skew: 3.0, write_share: 1.0, ..OFF };
    assert_eq!(traffic.set(widest), Ok(()));
    assert_eq!(traffic.state(), widest);
    Ok(())
}

#[tokio::test]
async fn traffic_begins_when_it_is_switched_on_and_takes_turns() -> Done {
    let house = House::plain().await?;
    let sites = vec![house.site("1").await?, house.site("2").await?];
    let running = start(sites.clone(), OFF);
    assert_eq!(running.traffic.counts().answered, 0);
    running.traffic.set(STEADY)?;
    eventually("requests are answered", async || running.traffic.counts().answered >= 40).await;
    let (one, other) = (reads_of(&sites[0]), reads_of(&sites[1]));
    assert!(one > 0 && other > 0, "{one} and {other}");
    assert_eq!(running.traffic.counts().failed, 0);
    Ok(())
}

#[tokio::test]
async fn traffic_that_ended_starts_again_with_its_settings() -> Done {
    let house = House::plain().await?;
    let running = start(vec![house.site("1").await?], STEADY);
    let answered = || running.traffic.counts().answered;
    eventually("requests are answered", async || answered() > 0).await;
    assert!(running.tasks.abort("traffic"));
    eventually("it runs again", async || {
        let task = running.tasks.report().remove(0);
        task.runs() && task.ends == 1
    })
    .await;
    let before = answered();
    eventually("requests are answered again", async || answered() > before + 10).await;
    assert_eq!(running.traffic.state(), STEADY);
    Ok(())
}

#[tokio::test]
async fn new_settings_hold_at_once_even_at_a_slow_rate() -> Done {
    let house = House::plain().await?;
    let slow = TrafficState { rate_per_s: 1, ..STEADY };
    let running = start(vec![house.site("1").await?], slow);
    running.traffic.set(TrafficState { rate_per_s: 1_000, skew: 0.0, ..STEADY })?;
    eventually("the new rate holds", async || running.traffic.counts().answered >= 200).await;
    Ok(())
}

#[tokio::test]
async fn traffic_that_only_writes_reaches_the_store() -> Done {
    let house = House::plain().await?;
    let state = TrafficState { write_share: 1.0, rate_per_s: 200, ..STEADY };
    let running = start(vec![house.site("1").await?], state);
    eventually("users and posts are rewritten and posts are made", async || {
        let user = house.store.user(1).await.ok().flatten();
        let post = house.store.post(1).await.ok().flatten();
        let made = house.store.post(3 * N_USERS as i64 + 1).await.ok().flatten();
        user.is_some_and(|user| user.version > 1)
            && post.is_some_and(|post| post.version > 1)
            && made.is_some()
    })
    .await;
    assert_eq!(running.traffic.counts().failed, 0);
    Ok(())
}

#[tokio::test]
async fn a_source_that_fails_does_not_stop_the_traffic() -> Done {
    let house = House::plain().await?;
    let running = start(vec![house.site("1").await?], STEADY);
    house.store.close().await;
    eventually("failures are counted", async || running.traffic.counts().failed >= 20).await;
    Ok(())
}

struct Running {
    traffic: Traffic,
    tasks: Tasks,
    shutdown: CancellationToken,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

fn start(sites: Vec<Site>, state: TrafficState) -> Running {
    let shutdown = CancellationToken::new();
    let tasks = Tasks::new(shutdown.clone());
    Running { traffic: Traffic::start(sites, state, N_USERS, &tasks), tasks, shutdown }
}

fn reads_of(site: &Site) -> u64 {
    site.node().report().caches.iter().map(|cache| cache.outcomes.reads()).sum()
}
