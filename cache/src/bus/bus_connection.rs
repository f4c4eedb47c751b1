//! One connection to the bus, read until it fails.

use std::io;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, cmd};

use super::heartbeat::{BusStatus, Refusals, repair_heartbeat};
use super::message::Message;
use super::missed::{LastNumbers, Missed};
use super::position::{Position, StreamEntry};
use super::reader::{BusHandler, BusReader, STEP};
use crate::clock;
use crate::clock::Moment;
use crate::connection::{Link, in_time};

/// How long one read of the stream blocks when nothing comes.
const BLOCK: Duration = Duration::from_millis(500);

/// The bus counts as not heard if an answer comes later than this.
const SILENT_AFTER: Duration = Duration::from_millis(1_200);

/// While messages keep coming, the node checks the heartbeat no more often than this.
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// The pause after a read that returned at once although it should have blocked.
const UNBLOCKED_PAUSE: Duration = Duration::from_millis(50);

const MAX_BATCH: usize = 500;

/// One connection to the bus. It goes on where the last one stopped and is used until it fails.
pub(crate) struct BusConnection<'a> {
    reader: &'a BusReader,
    link: &'a Link,
    handler: &'a dyn BusHandler,
    connection: MultiplexedConnection,
    pub(crate) last: Position,
    /// Whether Redis has answered anything on this connection.
    pub(crate) has_heard: bool,
    /// The last read was empty, although a message with a higher number had been announced.
    idle_behind: bool,
    checked_at: Moment,
    refusals: Refusals,
}

/// The result of one read of the stream.
pub(crate) struct ReadBatch {
    /// The moment before Redis was asked.
    asked: Moment,
    n_messages: usize,
}

impl ReadBatch {
    fn is_empty(&self) -> bool {
        self.n_messages == 0
    }

    /// Further messages may be outstanding.
    fn is_full(&self) -> bool {
        self.n_messages >= MAX_BATCH
    }
}

impl<'a> BusConnection<'a> {
    /// Connects and determines which messages were missed since `position`.
    pub(crate) async fn begin(
        reader: &'a BusReader,
        link: &'a Link,
        handler: &'a dyn BusHandler,
        position: &mut Option<Position>,
    ) -> RedisResult<Self> {
        let mut connection = link.connect(STEP).await?;
        let here = in_time(STEP, Position::now(&reader.bus, &mut connection)).await?;
        link.lose_the_other_server(here.run_id(), here.floor);
        let last = match position.take() {
            Some(last) if last.is_continued_by(&here) => last,
            Some(last) => {
                let missed = match last.is_of_one_run(&here) {
                    true => missed_after(reader, &mut connection, last.sequence).await,
                    false => Missed::Any,
                };
                reader.on_gap(handler, &missed, here.sequence);
                here
            }
            // Redis was away at the start, so the messages before this moment were never heard.
            None => {
                reader.since.store(here.sequence, std::sync::atomic::Ordering::Relaxed);
                handler.on_gap(&Missed::Any);
                here
            }
        };
        reader.acted_on.send_replace(last.sequence);
        let checked_at = Moment::now().before(CHECK_EVERY);
        Ok(Self {
            reader,
            link,
            handler,
            connection,
            last,
            has_heard: false,
            idle_behind: false,
            checked_at,
            refusals: Refusals::default(),
        })
    }

    /// Reads until something fails and returns the error.
    pub(crate) async fn listen(&mut self) -> RedisError {
        loop {
            if let Err(error) = self.read_on().await {
                return error;
            }
            self.reader.trust().tell();
        }
    }

    async fn read_on(&mut self) -> RedisResult<()> {
        let asked = Moment::now();
        let messages = self.read().await?;
        self.reader.hears_now();
        self.has_heard = true;
        let batch = ReadBatch { asked, n_messages: messages.len() };
        self.take(messages).await;
        self.reader.acted_on.send_replace(self.last.sequence);
        if batch.is_empty() || Moment::now().since(self.checked_at) >= CHECK_EVERY {
            self.check_status(&batch).await?;
        }
        // A server that does not block must not be asked again without a pause.
        if batch.is_empty() && Moment::now().since(asked) < BLOCK / 2 {
            tokio::time::sleep(UNBLOCKED_PAUSE).await;
        }
        Ok(())
    }

    /// Checks whether messages are outstanding and whether invalidations can be written, and
    /// extends trust accordingly.
    async fn check_status(&mut self, batch: &ReadBatch) -> RedisResult<()> {
        let bus = &self.reader.bus;
        if self.link.leads_elsewhere(self.last.run_id()) {
            // The link's connection is the newer one.
            return Err(io::Error::other("L2 is read from another server by now").into());
        }
        let status = match in_time(STEP, BusStatus::ask(bus, &mut self.connection)).await {
            Ok(status) => status,
            Err(error) => {
                repair_heartbeat(bus, &mut self.connection, STEP).await;
                return Err(error);
            }
        };
        self.checked_at = status.asked;
        // A message may arrive between the two commands. If it is absent twice in a row, it is
        // lost.
        let is_behind = status.sequence != self.last.sequence;
        let was_behind = self.idle_behind;
        self.idle_behind = batch.is_empty() && is_behind;
        if status.sequence < self.last.sequence || (self.idle_behind && was_behind) {
            self.skip(status.sequence).await?;
        }
        let heard = match is_behind {
            false => Some(status.asked),
            // The read took all messages that existed at that time. The next read takes later ones.
            true if !batch.is_empty() && !batch.is_full() => Some(batch.asked),
            true => None,
        };
        let (reader, link) = (self.reader, self.link);
        let place = (bus, &mut self.connection);
        let heartbeat =
            status.heartbeat(place, &mut self.refusals, |error| reader.refused(link, error));
        let heartbeat = in_time(STEP, heartbeat).await?;
        match (heard, heartbeat) {
            (Some(heard), Some(heartbeat)) => {
                if let Some(until) = heartbeat.trusted_until(heard) {
                    reader.trust().extend(until);
                }
            }
            (None, _) => reader.trust().blame("more messages wait than can be heard".to_owned()),
            // The attempt to write the heartbeat has already reported why it failed.
            (Some(_), None) => {}
        }
        Ok(())
    }

    /// Continues at the end of the stream. The messages in between were announced and never came.
    async fn skip(&mut self, sequence: u64) -> RedisResult<()> {
        let here = in_time(STEP, Position::now(&self.reader.bus, &mut self.connection)).await?;
        let missed = match sequence < self.last.sequence {
            true => Missed::Any,
            false => missed_after(self.reader, &mut self.connection, self.last.sequence).await,
        };
        self.last = here;
        self.reader.on_gap(self.handler, &missed, self.last.sequence);
        self.reader.acted_on.send_replace(self.last.sequence);
        Ok(())
    }

    async fn take(&mut self, messages: Vec<StreamEntry>) {
        let now_ms = self.reader.bus.clock().now_ms();
        for (id, fields) in messages {
            self.reader.received.add(1);
            if let Some(sent_ms) = id.split('-').next().and_then(|ms| ms.parse::<u64>().ok()) {
                self.reader.lag.record(Duration::from_millis(now_ms.saturating_sub(sent_ms)));
            }
            self.last.last_id = id;
            match Message::read(&fields) {
                Some(message) => self.deliver(&message).await,
                None => self.cannot_read(Message::about(&fields)),
            }
        }
    }

    async fn deliver(&mut self, message: &Message) {
        let seen = self.last.sequence;
        if message.sequence != seen + 1 {
            let missed = match message.sequence <= seen {
                true => Missed::Any,
                false => missed_after(self.reader, &mut self.connection, seen).await,
            };
            self.reader.on_gap(self.handler, &missed, message.sequence.saturating_sub(1));
        }
        self.goes_on_at(message.sequence);
        if !self.reader.bus.is_own(message) {
            self.handler.on_message(message);
        }
    }

    /// Handles a message of another version, or one that does not come from Strata.
    fn cannot_read(&mut self, about: Option<(u64, &str)>) {
        let next = self.last.sequence + 1;
        match about.filter(|(sequence, _)| *sequence == next) {
            Some((_, cache)) => {
                self.reader.on_gap(self.handler, &Missed::of(cache), next);
                self.goes_on_at(next);
            }
            None => self.reader.on_gap(self.handler, &Missed::Any, next),
        }
    }

    fn goes_on_at(&mut self, sequence: u64) {
        self.last.sequence = sequence;
        self.reader.bus.saw(sequence);
        self.reader.dispatched.store(sequence, std::sync::atomic::Ordering::SeqCst);
    }

    async fn read(&mut self) -> RedisResult<Vec<StreamEntry>> {
        type Streams = Option<Vec<(String, Vec<StreamEntry>)>>;
        let mut xread = cmd("XREAD");
        xread.arg("COUNT").arg(MAX_BATCH).arg("BLOCK").arg(clock::millis(BLOCK));
        xread.arg("STREAMS").arg(self.reader.bus.stream()).arg(&self.last.last_id);
        let read = xread.query_async(&mut self.connection);
        let streams: Streams = in_time(SILENT_AFTER, read).await?;
        Ok(streams.into_iter().flatten().flat_map(|(_, messages)| messages).collect())
    }
}

/// The caches that had messages after this number. If Redis does not say, any cache may be
/// affected.
async fn missed_after(
    reader: &BusReader,
    connection: &mut MultiplexedConnection,
    seen: u64,
) -> Missed {
    match in_time(STEP, LastNumbers::read(&reader.bus, connection)).await {
        Ok(numbers) => numbers.after(seen),
        Err(_) => Missed::Any,
    }
}
