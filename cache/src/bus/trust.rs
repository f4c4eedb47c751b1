//! Until when L1 counts in full and L2 is read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::clock::Moment;
use crate::log::log_safely;

/// How long after its fill an entry of L1 counts while the bus is silent.
pub(crate) const COUNTS_FOR: Duration = Duration::from_secs(5);

/// Until when L1 counts in full and L2 is read. Each heartbeat extends it.
///
/// Trust needs no task to end it. It ends by itself after a dead task, a dropped runtime, a machine
/// that slept, or a Redis that accepts no writes, because nothing extends it any more.
pub(crate) struct Trust {
    /// Nanoseconds of a [`Moment`]. Before the first heartbeat it is the moment of the start.
    until: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
pub(crate) struct State {
    ended: bool,
    /// Why trust has ended, or will end unless a heartbeat comes.
    because: Option<String>,
    /// The log already says that the bus is silent.
    told: bool,
}

/// A bus that is silent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) since_ms: u64,
    /// A fragment that fits after "because". `None` if the cause is unknown.
    pub(crate) because: Option<String>,
}

impl Trust {
    pub(crate) fn new() -> Self {
        Self { until: AtomicU64::new(Moment::now().as_nanos()), state: Mutex::default() }
    }

    /// Whether L1 counts in full and L2 may be read.
    #[inline]
    pub(crate) fn holds(&self, now: Moment) -> bool {
        now.as_nanos() < self.until.load(Ordering::Relaxed)
    }

    /// Extends trust after a heartbeat: all messages acknowledged before it were heard, and
    /// invalidations can be written.
    pub(crate) fn extend(&self, until: Moment) {
        let mut state = self.state();
        if !state.ended {
            self.until.fetch_max(until.as_nanos(), Ordering::Relaxed);
            state.because = None;
        }
    }

    /// Notes why the next heartbeat may fail to come.
    pub(crate) fn blame(&self, because: String) {
        let mut state = self.state();
        if !state.ended {
            state.because = Some(because);
        }
    }

    /// Ends trust for good, at once.
    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        // The caller shut the node down, so the log need not say it.
        state.told = true;
        state.because = Some("the node was shut down".to_owned());
        self.until.fetch_min(Moment::now().as_nanos(), Ordering::Relaxed);
    }

    /// Since when and why trust is over. `None` while it holds.
    pub(crate) fn silence(&self, now: Moment) -> Option<Silence> {
        let state = self.state();
        let until = self.until.load(Ordering::Relaxed);
        let over_for = now.as_nanos().checked_sub(until)?;
        let over_for_ms = clock::millis(Duration::from_nanos(over_for));
        Some(Silence {
            since_ms: clock::now_ms().saturating_sub(over_for_ms),
            because: state.because.clone(),
        })
    }

    /// Logs once that the bus is silent, and once that it is heard again.
    pub(crate) fn tell(&self) {
        let silence = self.silence(Moment::now());
        let told = std::mem::replace(&mut self.state().told, silence.is_some());
        match silence {
            Some(silence) if !told => {
                let because = silence.because.as_deref().unwrap_or(UNKNOWN);
                log_safely(|| {
                    tracing::warn!(
                        because,
                        "the bus is silent: L1 counts for a short time only, L2 is not read"
                    );
                });
            }
            None if told => log_safely(|| tracing::info!("the bus is heard again")),
            _ => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reason shown if no code has noted why the bus is silent.
pub(crate) const UNKNOWN: &str = "nothing was heard in time";

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1_500);

    #[tokio::test(start_paused = true)]
    async fn trust_ends_by_itself() {
        let trust = Trust::new();
        assert!(!trust.holds(Moment::now()), "before the first heartbeat");
        trust.extend(Moment::now().after(SHORT));
        assert!(trust.holds(Moment::now()));
        assert_eq!(trust.silence(Moment::now()), None);
        tokio::time::advance(SHORT).await;
        assert!(!trust.holds(Moment::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_late_heartbeat_takes_nothing_back() {
        let trust = Trust::new();
        trust.extend(Moment::now().after(SHORT));
        trust.extend(Moment::now());
        assert!(trust.holds(Moment::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_has_no_trust_left() {
        let trust = Trust::new();
        trust.extend(Moment::now().after(SHORT));
        clock::test_clock::sleep_machine(SHORT);
        assert!(!trust.holds(Moment::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_ended_begins_no_more() {
        let trust = Trust::new();
        trust.extend(Moment::now().after(SHORT));
        trust.end();
        trust.extend(Moment::now().after(SHORT));
        assert!(!trust.holds(Moment::now()));
        let because = trust.silence(Moment::now()).and_then(|silence| silence.because);
        assert_eq!(because.as_deref(), Some("the node was shut down"));
    }

    /// Keeps the levels of the logged lines, and panics on the last of them.
    #[derive(Clone, Default)]
    struct Log(std::sync::Arc<Mutex<Vec<tracing::Level>>>);

    impl tracing::Subscriber for Log {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }

        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

        fn event(&self, event: &tracing::Event<'_>) {
            self.0.lock().unwrap().push(*event.metadata().level());
            assert!(event.metadata().level() != &tracing::Level::INFO, "standard error is closed");
        }

        fn enter(&self, _: &tracing::span::Id) {}

        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[tokio::test(start_paused = true)]
    async fn a_silence_and_its_end_are_each_logged_once_though_the_log_panics() {
        let (trust, log) = (Trust::new(), Log::default());
        let _guard = tracing::subscriber::set_default(log.clone());
        for _ in 0..3 {
            trust.tell();
        }
        trust.extend(Moment::now().after(SHORT));
        for _ in 0..3 {
            trust.tell();
        }
        let logged = log.0.lock().unwrap().clone();
        assert_eq!(logged, [tracing::Level::WARN, tracing::Level::INFO]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_bus_says_since_when_and_why_until_it_is_heard() {
        let trust = Trust::new();
        trust.extend(Moment::now().after(SHORT));
        trust.blame("it is far away".to_owned());
        assert_eq!(trust.silence(Moment::now()), None, "trust still holds");
        tokio::time::advance(SHORT + Duration::from_secs(7)).await;
        let before_ms = clock::now_ms();
        let silence = trust.silence(Moment::now()).unwrap();
        let after_ms = clock::now_ms();
        assert!((before_ms - 7_000..=after_ms - 7_000).contains(&silence.since_ms));
        assert_eq!(silence.because.as_deref(), Some("it is far away"));
        trust.extend(Moment::now().after(SHORT));
        assert_eq!(trust.silence(Moment::now()), None);
    }
}
