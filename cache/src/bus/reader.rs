//! What a node knows of the bus by reading it.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::RedisError;
use strata_report::{BusReport, TaskReport};
use tokio::sync::watch;

use super::asks::AskHandler;
use super::message::Message;
use super::missed::Missed;
use super::trust::{Silence, Trust, UNKNOWN};
use crate::clock;
use crate::clock::Moment;
use crate::connection::{Bus, ErrorReply, Link};
use crate::recorder::{Counter, HistogramRecorder};

/// How long one command on the bus's connection may take.
pub(crate) const STEP: Duration = Duration::from_millis(1_000);

/// Receives what the reader hears on the bus.
pub(crate) trait BusHandler: Send + Sync {
    /// Acts on another node's invalidation.
    fn on_message(&self, message: &Message);
    /// Messages were or may have been missed, so L1 of these caches can no longer be trusted.
    fn on_gap(&self, missed: &Missed);
    /// Who is told of what consoles ask.
    fn asks(&self) -> Option<&dyn AskHandler> {
        None
    }
}

/// What a node knows of the bus by reading it.
///
/// After a disconnect the node continues after the last id it saw. Each message carries a sequence
/// number, which is raised in the step that appends the message. A gap is a number out of step, a
/// sequence behind this node's, or another run of Redis. A gap empties L1 of the caches that may
/// have missed something.
///
/// Each answer with nothing outstanding, read together with a young heartbeat, extends [`Trust`].
/// Otherwise trust ends by itself: 1.5 s after the bus was last asked, or 3 s after the last
/// heartbeat was written, whichever comes first.
pub(crate) struct BusReader {
    pub(crate) bus: Bus,
    configured: bool,
    pub(super) trust: Trust,
    pub(crate) heard_at_ms: AtomicU64,
    pub(crate) received: Counter,
    gaps: Counter,
    pub(super) disconnects: Counter,
    pub(crate) lag: HistogramRecorder,
    /// The number of the last message acted on.
    pub(crate) acted_on: watch::Sender<u64>,
    /// Every message after this number was heard.
    pub(crate) since: AtomicU64,
    /// The number of the last message that was passed on, or is being passed on.
    pub(crate) dispatched: AtomicU64,
}

impl BusReader {
    pub(crate) fn new(bus: Bus, configured: bool) -> Self {
        Self {
            bus,
            configured,
            trust: Trust::new(),
            heard_at_ms: AtomicU64::new(0),
            received: Counter::default(),
            gaps: Counter::default(),
            disconnects: Counter::default(),
            lag: HistogramRecorder::default(),
            acted_on: watch::Sender::new(0),
            since: AtomicU64::new(0),
            dispatched: AtomicU64::new(0),
        }
    }

    /// Until when L1 counts in full and L2 is read.
    #[inline]
    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Redis refuses the heartbeat, and therefore invalidations.
    pub(crate) fn refused(&self, link: &Link, error: &RedisError) {
        link.note(error);
        self.trust.blame(format!("Redis takes no invalidations: {}", ErrorReply::read(error)));
    }

    pub(super) fn cannot_read(&self, error: &RedisError) {
        self.trust.blame(format!("the bus cannot be read: {}", ErrorReply::read(error)));
    }

    /// Waits until every message up to `sequence` has been acted on.
    pub(crate) async fn acted_on(&self, sequence: u64) {
        let mut acted_on = self.acted_on.subscribe();
        // The sender lives as long as this reader.
        let _ = acted_on.wait_for(|last| *last >= sequence).await;
    }

    /// Messages up to `sequence` were or may have been missed.
    pub(crate) fn on_gap(&self, handler: &dyn BusHandler, missed: &Missed, sequence: u64) {
        self.gaps.add(1);
        self.since.store(sequence, Relaxed);
        handler.on_gap(missed);
    }

    /// The number of the last message acted on.
    pub(crate) fn heard(&self) -> u64 {
        *self.acted_on.borrow()
    }

    /// The number of the last message that was passed on to the caches.
    pub(crate) fn dispatched(&self) -> u64 {
        self.dispatched.load(Ordering::SeqCst)
    }

    /// The number after which every message was heard. `None` while the bus is silent.
    pub(crate) fn heard_since(&self) -> Option<u64> {
        self.trust.holds(Moment::now()).then(|| self.since.load(Relaxed))
    }

    /// `task` is the task that listens.
    pub(crate) fn report(&self, task: Option<&TaskReport>) -> BusReport {
        let heard_at_ms = self.heard_at_ms.load(Relaxed);
        let silence = self.trust.silence(Moment::now()).filter(|_| self.configured);
        BusReport {
            configured: self.configured,
            connected: self.configured && silence.is_none(),
            heard_at_ms: (heard_at_ms > 0).then_some(heard_at_ms),
            received: self.received.get(),
            sent: self.bus.sent(),
            gaps: self.gaps.get(),
            disconnects: self.disconnects.get(),
            lag: self.lag.read(),
            silent_since_ms: silence.as_ref().map(|silence| silence.since_ms),
            silent_because: silence.map(|silence| because(silence, task)),
        }
    }

    pub(crate) fn hears_now(&self) {
        self.heard_at_ms.store(clock::now_ms(), Relaxed);
    }
}

fn because(silence: Silence, task: Option<&TaskReport>) -> String {
    let failure = task.filter(|task| !task.runs()).and_then(|task| task.failure.as_deref());
    match failure {
        Some(failure) => format!("the task that listens does not run: {failure}"),
        None => silence.because.unwrap_or_else(|| UNKNOWN.to_owned()),
    }
}
