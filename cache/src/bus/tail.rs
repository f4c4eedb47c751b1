use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, Ordering::Relaxed};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use strata_report::BusReport;
use tokio::sync::watch;

use super::position::{Appended, Position, clock_ahead_ms};
use super::{Bus, Message};
use crate::clock;
use crate::l2::{Link, in_time};
use crate::recorder::{Counter, HistogramRecorder};

/// How long one read of the stream blocks when nothing comes: the heartbeat.
const BLOCK: Duration = Duration::from_millis(500);

/// An answer later than this means that the bus is not heard.
const DEAF_AFTER: Duration = Duration::from_millis(1_500);

const STEP: Duration = Duration::from_millis(1_000);
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(2);
const MAX_BATCH: usize = 500;

/// What the tail tells the node.
pub(crate) trait Hearer: Send + Sync {
    /// Acts on another node's invalidation.
    fn hear(&self, message: &Message);
    /// Messages were or may have been missed: nothing in L1 can be trusted.
    fn gap(&self);
    /// The bus is heard and nothing is outstanding: L1 counts in full.
    fn trust(&self);
    /// The bus is not heard: L1 entries count for a short time only.
    fn distrust(&self);
}

/// A node's ear on the bus.
///
/// After a disconnect it resumes at the last id it saw. Each message carries a sequence number,
/// raised in the transaction that appends it; a number out of step, a sequence behind ours, or
/// another run of Redis is a gap, and a gap empties L1.
pub(crate) struct Tail {
    bus: Bus,
    configured: bool,
    connected: AtomicBool,
    heard_at_ms: AtomicU64,
    received: Counter,
    gaps: Counter,
    disconnects: Counter,
    lag: HistogramRecorder,
    /// The number of the last message acted on.
    acted_on: watch::Sender<u64>,
    /// Every message after this number was heard.
    since: AtomicU64,
    /// The number of the last message that was handed on, or is being handed on.
    dispatched: AtomicU64,
}

impl Tail {
    pub(crate) fn new(bus: Bus, configured: bool) -> Self {
        Self {
            bus,
            configured,
            connected: AtomicBool::new(false),
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

    /// Where the stream ends now. Entries filled after this are covered by listening from here.
    pub(crate) async fn end(&self, link: &Link) -> Option<Position> {
        let mut connection = link.connect(STEP).await.ok()?;
        let here = in_time(STEP, Position::now(&self.bus, &mut connection)).await.ok()?;
        self.since.store(here.sequence, Relaxed);
        self.acted_on.send_replace(here.sequence);
        Some(here)
    }

    /// Listens from `position` on, reconnecting for ever.
    pub(crate) async fn listen(
        &self,
        link: Arc<Link>,
        mut position: Option<Position>,
        hearer: Arc<dyn Hearer>,
    ) {
        let _end = Ended { tail: self, hearer: Arc::clone(&hearer) };
        let mut pause = FIRST_RETRY;
        loop {
            let listened = self.follow(&link, &*hearer, &mut position).await;
            hearer.distrust();
            if self.connected.swap(false, Relaxed) {
                self.disconnects.add(1);
                pause = FIRST_RETRY;
            }
            if let Err(error) = listened {
                tracing::debug!(%error, "the bus is not heard");
            }
            tokio::time::sleep(pause.mul_f64(0.5 + rand::random::<f64>())).await;
            pause = (pause * 2).min(LAST_RETRY);
        }
    }

    /// Connects, catches up, and reads until something fails.
    async fn follow(
        &self,
        link: &Link,
        hearer: &dyn Hearer,
        position: &mut Option<Position>,
    ) -> RedisResult<()> {
        let mut connection = link.connect(STEP).await?;
        let here = in_time(STEP, Position::now(&self.bus, &mut connection)).await?;
        let clock_ahead_ms = in_time(STEP, clock_ahead_ms(&mut connection)).await?;
        let mut last = match position.take() {
            Some(last) if last.is_continued_by(&here) => last,
            Some(_) => {
                self.gap(hearer, here.sequence);
                here
            }
            // Redis was away at the start: what came before was never heard.
            None => {
                self.since.store(here.sequence, Relaxed);
                hearer.gap();
                here
            }
        };
        self.acted_on.send_replace(last.sequence);
        let mut idle_behind = false;
        let outcome = loop {
            let messages = match self.read(&mut connection, &last.last_id).await {
                Ok(messages) => messages,
                Err(error) => break Err(error),
            };
            self.heard_at_ms.store(clock::now_ms(), Relaxed);
            let outstanding = messages.len() == MAX_BATCH;
            if messages.is_empty() {
                let sequence = match self.sequence(&mut connection).await {
                    Ok(sequence) => sequence,
                    Err(error) => break Err(error),
                };
                // A message may land between the two commands; twice in a row it did not come.
                let behind = sequence != last.sequence;
                if sequence < last.sequence || (behind && idle_behind) {
                    match in_time(STEP, Position::now(&self.bus, &mut connection)).await {
                        Ok(here) => last = here,
                        Err(error) => break Err(error),
                    }
                    self.gap(hearer, last.sequence);
                }
                idle_behind = behind;
            } else {
                idle_behind = false;
                self.take(&mut last, messages, clock_ahead_ms, hearer);
            }
            self.acted_on.send_replace(last.sequence);
            if !idle_behind && !outstanding {
                hearer.trust();
                self.connected.store(true, Relaxed);
            }
        };
        *position = Some(last);
        outcome
    }

    /// Waits until every message up to `sequence` has been acted on.
    pub(crate) async fn acted_on(&self, sequence: u64) {
        let mut acted_on = self.acted_on.subscribe();
        // The sender lives as long as this tail does.
        let _ = acted_on.wait_for(|last| *last >= sequence).await;
    }

    fn take(
        &self,
        last: &mut Position,
        messages: Vec<Appended>,
        clock_ahead_ms: i64,
        hearer: &dyn Hearer,
    ) {
        let now_ms = clock::now_ms().saturating_add_signed(clock_ahead_ms);
        for (id, fields) in messages {
            self.received.add(1);
            if let Some(sent_ms) = id.split('-').next().and_then(|ms| ms.parse::<u64>().ok()) {
                self.lag.record(Duration::from_millis(now_ms.saturating_sub(sent_ms)));
            }
            last.last_id = id;
            let Some(message) = Message::read(&fields) else {
                // Its number is missed by the next one as well.
                self.gap(hearer, last.sequence + 1);
                continue;
            };
            if message.sequence != last.sequence + 1 {
                self.gap(hearer, message.sequence.saturating_sub(1));
            }
            last.sequence = message.sequence;
            self.bus.saw(message.sequence);
            self.dispatched.store(message.sequence, Ordering::SeqCst);
            if !self.bus.is_own(&message) {
                hearer.hear(&message);
            }
        }
    }

    /// Messages up to `sequence` were or may have been missed.
    fn gap(&self, hearer: &dyn Hearer, sequence: u64) {
        self.gaps.add(1);
        self.since.store(sequence, Relaxed);
        hearer.gap();
    }

    /// The number of the last message acted on.
    pub(crate) fn heard(&self) -> u64 {
        *self.acted_on.borrow()
    }

    /// The number of the last message that was handed on to the caches.
    pub(crate) fn dispatched(&self) -> u64 {
        self.dispatched.load(Ordering::SeqCst)
    }

    /// From which number on every message is heard; `None` while the bus is not.
    pub(crate) fn heard_since(&self) -> Option<u64> {
        self.connected.load(Relaxed).then(|| self.since.load(Relaxed))
    }

    async fn read(
        &self,
        connection: &mut MultiplexedConnection,
        after: &str,
    ) -> RedisResult<Vec<Appended>> {
        type Streams = Option<Vec<(String, Vec<Appended>)>>;
        let mut xread = cmd("XREAD");
        xread.arg("COUNT").arg(MAX_BATCH).arg("BLOCK").arg(clock::millis(BLOCK));
        xread.arg("STREAMS").arg(self.bus.stream()).arg(after);
        let streams: Streams = in_time(DEAF_AFTER, xread.query_async(connection)).await?;
        Ok(streams.into_iter().flatten().flat_map(|(_, messages)| messages).collect())
    }

    async fn sequence(&self, connection: &mut MultiplexedConnection) -> RedisResult<u64> {
        let mut get = cmd("GET");
        get.arg(self.bus.sequence());
        let sequence: Option<u64> = in_time(STEP, get.query_async(connection)).await?;
        Ok(sequence.unwrap_or(0))
    }

    pub(crate) fn report(&self) -> BusReport {
        let heard_at_ms = self.heard_at_ms.load(Relaxed);
        BusReport {
            configured: self.configured,
            connected: self.connected.load(Relaxed),
            heard_at_ms: (heard_at_ms > 0).then_some(heard_at_ms),
            received: self.received.get(),
            sent: self.bus.sent(),
            gaps: self.gaps.get(),
            disconnects: self.disconnects.get(),
            lag: self.lag.read(),
            ..BusReport::default()
        }
    }
}

/// However a listener ends, the bus is not heard any more.
struct Ended<'a> {
    tail: &'a Tail,
    hearer: Arc<dyn Hearer>,
}

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.hearer.distrust();
        self.tail.connected.store(false, Relaxed);
    }
}
