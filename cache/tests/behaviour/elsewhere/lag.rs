//! What consoles that ask cost the bus. It measures, so `./dev test long` runs it alone.

use std::time::Duration;

use strata_cache::{Cache, Fleet, Target};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{AskTo, Console, Node, node};
use crate::support::Redis;

const ROUNDS: usize = 5;
const MESSAGES: u64 = 400;

/// One message of the bus in this time, and two asks.
const EVERY: Duration = Duration::from_millis(20);
const ASKS_AT_ONCE: usize = 2;

/// How many times as long the bus may take beside the asks.
const SLOWER_AT_MOST: f64 = 1.5;

/// How long each message takes from before it is sent until another node of this process has acted
/// on it, by one clock: the 99th of a hundred, microseconds.
async fn p99_us(sender: &Node, hearer: &Node) -> u64 {
    let sent = sender.bus_sequence().await.unwrap();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut lags_us = Vec::new();
    for n in 1..=MESSAGES {
        ticks.tick().await;
        let began = Instant::now();
        let hears = async {
            assert!(hearer.has_heard(sent + n, Duration::from_secs(10)).await);
            began.elapsed()
        };
        let key = Target::key(n.to_string());
        let (lag, sending) = tokio::join!(hears, sender.invalidate("users", key));
        sending.unwrap();
        lags_us.push(u64::try_from(lag.as_micros()).unwrap());
    }
    lags_us.sort_unstable();
    lags_us[lags_us.len() * 99 / 100]
}

/// Asks a hundred times a second, for ever.
async fn ask(console: &Console) {
    let mut ticks = interval(EVERY);
    loop {
        ticks.tick().await;
        for _ in 0..ASKS_AT_ONCE {
            let fleet = console.fleet.clone();
            tokio::spawn(async move {
                let body = r#"{"cache":"users","key":"7"}"#;
                fleet.ask(AskTo::Node("hearer"), "look_l1", body, "anna").await
            });
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures; ./dev test long"]
async fn a_hundred_asks_a_second_leave_the_bus_as_fast_as_it_is() {
    let redis = Redis::start().await;
    let sender = node(&redis, "sender", Fleet::default()).await;
    let hearer = node(&redis, "hearer", Fleet::default()).await;
    let _sent: Cache<u64, String> = Cache::builder("users").build(&sender).unwrap();
    let _heard: Cache<u64, String> = Cache::builder("users").build(&hearer).unwrap();
    let console = Console::of(&redis, "").await;
    console.until_reported("hearer").await;
    let mut ratios = Vec::new();
    for round in 1..=ROUNDS {
        let quiet_us = p99_us(&sender, &hearer).await;
        let asked_us = tokio::select! {
            asked_us = p99_us(&sender, &hearer) => asked_us,
            () = ask(&console) => unreachable!("it asks for ever"),
        };
        let ratio = asked_us as f64 / quiet_us.max(1) as f64;
        println!("round {round}: p99 {quiet_us} µs quiet, {asked_us} µs beside asks: {ratio:.2}");
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ROUNDS / 2];
    println!("| p99 of the bus beside 100 asks a second : without | {median:.2} |");
    let answered = console.until_reported("hearer").await.report.unwrap().asks.answered;
    assert!(answered > 0, "the asks have been answered");
    assert!(median <= SLOWER_AT_MOST, "{ratios:?}");
}
