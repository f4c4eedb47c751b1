//! How long Redis takes to answer, and what its clock says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use redis::cmd;
use tokio::time::Instant;

use super::commands::Workplace;
use super::diagnosis::Finding;
use crate::node::Node;

const N_PINGS: usize = 30;

/// Dates in the audit and the activity mislead beyond this.
const MAX_DIFFERENCE: Duration = Duration::from_secs(5);

/// What a read should leave of the hard timeout.
const SHARE_OF_TIMEOUT: u32 = 4;

impl Workplace {
    /// From sending to the answer, several times.
    pub(super) async fn latency(&mut self) -> Finding {
        const SUBJECT: &str = "Latency";
        let mut took = Vec::with_capacity(N_PINGS);
        for _ in 0..N_PINGS {
            let began = Instant::now();
            if let Err(error) = self.send(&cmd("PING")).await {
                return Finding::fails(SUBJECT, format!("a ping failed: {error}"));
            }
            took.push(began.elapsed());
        }
        took.sort_unstable();
        let (median, longest) = (took[N_PINGS / 2], took[N_PINGS - 1]);
        let seen = format!("{N_PINGS} pings: median {}, longest {}", ms(median), ms(longest));
        let timeout = Node::DEFAULT_L2_TIMEOUT;
        if median < timeout / SHARE_OF_TIMEOUT {
            return Finding::works(SUBJECT, seen);
        }
        let advice = format!(
            "a read waits for Redis {} at most unless the node is built with another l2_timeout",
            ms(timeout)
        );
        match median < timeout {
            true => Finding::degrades(SUBJECT, seen),
            false => Finding::fails(SUBJECT, seen),
        }
        .advise(advice)
    }

    /// How far Redis's clock is from this machine's. Nothing that must be right compares the two.
    pub(super) async fn clock(&mut self) -> Finding {
        const SUBJECT: &str = "Clock";
        let (before, began) = (SystemTime::now(), Instant::now());
        let answer = self.time().await;
        let (here, round_trip) = (before + began.elapsed() / 2, began.elapsed());
        let Some(there) = answer else {
            return Finding::degrades(SUBJECT, "TIME is refused");
        };
        let (ahead, by) = match there.duration_since(here) {
            Ok(by) => ("ahead of", by),
            Err(error) => ("behind", error.duration()),
        };
        let seen = match by <= round_trip {
            true => format!("it agrees with this machine's within {}", ms(round_trip)),
            false => format!("Redis is {} {ahead} this machine", ms(by)),
        };
        match by <= MAX_DIFFERENCE {
            true => Finding::works(SUBJECT, seen),
            false => Finding::degrades(SUBJECT, format!("{seen}: dates on the dashboard mislead"))
                .advise("set both clocks by NTP; the caches themselves compare no clocks"),
        }
    }

    async fn time(&mut self) -> Option<SystemTime> {
        let answer = self.send(&cmd("TIME")).await.ok()?;
        let (seconds, micros): (u64, u64) = redis::from_redis_value(answer).ok()?;
        UNIX_EPOCH.checked_add(Duration::from_secs(seconds) + Duration::from_micros(micros))
    }
}

pub(super) fn ms(duration: Duration) -> String {
    match duration.as_millis() {
        0 => "below 1 ms".to_owned(),
        ms @ 1..10_000 => format!("{ms} ms"),
        ms => format!("{} s", ms / 1_000),
    }
}
