use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strata_cache::{ErrorChain, Tasks};
use strata_report::TrafficState;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::requests::RequestChooser;
use crate::random::Random;
use crate::site::Site;

/// The traffic that a demo starts with.
pub const STEADY: TrafficState =
    TrafficState { running: true, rate_per_s: 400, skew: 1.0, write_share: 0.02 };

const MAX_RATE_PER_S: u32 = 20_000;
const MAX_SKEW: f64 = 3.0;
const MAX_IN_FLIGHT: usize = 256;
const SHORTEST_TICK: Duration = Duration::from_millis(2);
// After a pause of the whole process the missed requests are not made up for, beyond this.
const MAX_CATCH_UP: Duration = Duration::from_millis(250);

/// Traffic on the demo service. Cheap to clone; all clones steer the same traffic.
///
/// It is open-loop: requests come at their rate however slowly they are answered, up to a limit of
/// requests in flight, beyond which they are dropped and counted. A failed request is counted and
/// does not stop it.
#[derive(Clone)]
pub struct Traffic {
    state: Arc<watch::Sender<TrafficState>>,
    counters: Arc<Counters>,
}

/// What the traffic has done since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrafficCounts {
    /// Requests answered.
    pub answered: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Requests not made, because too many were in flight.
    pub dropped: u64,
}

/// Why the traffic was not changed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum TrafficError {
    /// More than the demo's own sender can do.
    #[error("send {0} requests per second: at most {MAX_RATE_PER_S} are possible")]
    Rate(u32),
    /// Out of range.
    #[error("use a skew of {0}: it must be from 0 to {MAX_SKEW}")]
    Skew(f64),
    /// Out of range.
    #[error("use a write share of {0}: it must be from 0 to 1")]
    WriteShare(f64),
}

#[derive(Default)]
struct Counters {
    answered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
}

impl Traffic {
    /// Starts traffic over users `1..=n_users` and their posts; `sites` take turns. It is one of
    /// the `tasks`, and ends with them. Settings that [`Traffic::set`] would refuse are brought into range.
    pub fn start(sites: Vec<Site>, state: TrafficState, n_users: u64, tasks: &Tasks) -> Self {
        let (sender, receiver) = watch::channel(into_range(state));
        let counters = Arc::new(Counters::default());
        let sending = Sending {
            sites: sites.into(),
            n_users,
            counters: Arc::clone(&counters),
            in_flight: Arc::new(Semaphore::new(MAX_IN_FLIGHT)),
            turn: 0,
        };
        // Done once nobody is left to steer it.
        tasks.spawn_until_done("traffic", move || sending.clone().run(receiver.clone()));
        Self { state: Arc::new(sender), counters }
    }

    /// The settings in force.
    pub fn state(&self) -> TrafficState {
        *self.state.borrow()
    }

    /// Puts new settings in force at once.
    ///
    /// # Errors
    /// Where one is out of range; then nothing changes.
    pub fn set(&self, state: TrafficState) -> Result<(), TrafficError> {
        check(&state)?;
        self.state.send_replace(state);
        Ok(())
    }

    /// What the traffic has done since its start.
    pub fn counts(&self) -> TrafficCounts {
        TrafficCounts {
            answered: self.counters.answered.load(Ordering::Relaxed),
            failed: self.counters.failed.load(Ordering::Relaxed),
            dropped: self.counters.dropped.load(Ordering::Relaxed),
        }
    }
}

#[derive(Clone)]
struct Sending {
    sites: Arc<[Site]>,
    n_users: u64,
    counters: Arc<Counters>,
    in_flight: Arc<Semaphore>,
    turn: usize,
}

impl Sending {
    async fn run(mut self, mut states: watch::Receiver<TrafficState>) {
        let mut state = *states.borrow_and_update();
        let mut chooser = RequestChooser::new(self.n_users, &state, Random::new(1));
        loop {
            tokio::select! {
                changed = states.changed() => if changed.is_err() { return },
                () = self.send_at_rate(&state, &mut chooser) => {}
            }
            state = *states.borrow_and_update();
            chooser = chooser.with(self.n_users, &state);
        }
    }

    // Never returns: new settings end it.
    async fn send_at_rate(&mut self, state: &TrafficState, chooser: &mut RequestChooser) {
        if !state.running || state.rate_per_s == 0 || self.sites.is_empty() {
            return std::future::pending().await;
        }
        let rate = f64::from(state.rate_per_s);
        let mut ticks =
            tokio::time::interval(SHORTEST_TICK.max(Duration::from_secs_f64(1.0 / rate)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut due = 0.0;
        let mut last = Instant::now();
        loop {
            let now = ticks.tick().await;
            due += rate * now.duration_since(last).min(MAX_CATCH_UP).as_secs_f64();
            last = now;
            while due >= 1.0 {
                due -= 1.0;
                self.send(chooser);
            }
        }
    }

    fn send(&mut self, chooser: &mut RequestChooser) {
        let request = chooser.next();
        let Ok(permit) = Arc::clone(&self.in_flight).try_acquire_owned() else {
            self.counters.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let site = self.sites[self.turn % self.sites.len()].clone();
        self.turn = self.turn.wrapping_add(1);
        let mut sent = Sent { counters: Arc::clone(&self.counters), answered: false };
        tokio::spawn(async move {
            match request.send(&site).await {
                Ok(()) => sent.answered = true,
                Err(error) => {
                    tracing::debug!(error = %ErrorChain(&error), "a request of the traffic failed")
                }
            }
            drop((sent, permit));
        });
    }
}

/// A request on its way. Counted as it ends, also by a panic.
struct Sent {
    counters: Arc<Counters>,
    answered: bool,
}

impl Drop for Sent {
    fn drop(&mut self) {
        let Counters { answered, failed, .. } = &*self.counters;
        if self.answered { answered } else { failed }.fetch_add(1, Ordering::Relaxed);
    }
}

fn check(state: &TrafficState) -> Result<(), TrafficError> {
    if state.rate_per_s > MAX_RATE_PER_S {
        return Err(TrafficError::Rate(state.rate_per_s));
    }
    if !(0.0..=MAX_SKEW).contains(&state.skew) {
        return Err(TrafficError::Skew(state.skew));
    }
    if !(0.0..=1.0).contains(&state.write_share) {
        return Err(TrafficError::WriteShare(state.write_share));
    }
    Ok(())
}

fn into_range(state: TrafficState) -> TrafficState {
    TrafficState {
        rate_per_s: state.rate_per_s.min(MAX_RATE_PER_S),
        skew: state.skew.clamp(0.0, MAX_SKEW),
        write_share: state.write_share.clamp(0.0, 1.0),
        ..state
    }
}
