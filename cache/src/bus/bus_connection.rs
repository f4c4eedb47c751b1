//! One connection to the bus, read until it fails.

use std::io;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};

use super::asks::AskReader;
use super::heartbeat::{BusStatus, Refusals, repair_heartbeat};
use super::message::Message;
use super::missed::{LastNumbers, Missed};
use super::position::{BusPlace, Position, StreamEntry};
use super::reader::{BusHandler, BusReader, STEP};
use super::reading::{BLOCK, ReadBatch};
use crate::clock::Moment;
use crate::connection::{Link, in_time};

/// The bus counts as not heard if an answer comes later than this.
pub(super) const SILENT_AFTER: Duration = Duration::from_millis(1_200);

/// While messages keep coming, the node checks the heartbeat no more often than this.
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// One connection to the bus. It goes on where the last one stopped and is used until it fails.
pub(crate) struct BusConnection<'a> {
    pub(super) reader: &'a BusReader,
    link: &'a Link,
    handler: &'a dyn BusHandler,
    pub(super) connection: MultiplexedConnection,
    pub(crate) last: Position,
    /// Whether Redis has answered anything on this connection.
    pub(crate) has_heard: bool,
    pub(super) asks: AskReader<'a>,
    /// The last read of the bus was empty, although a message with a higher number had been
    /// announced.
    idle_behind: bool,
    checked_at: Moment,
    refusals: Refusals,
    /// Of the login that counts on this connection.
    login: u64,
}

impl<'a> BusConnection<'a> {
    /// Connects and determines which messages were missed since the last connection. Where it
    /// fails, the place stays as it is.
    pub(crate) async fn begin(
        reader: &'a BusReader,
        link: &'a Link,
        handler: &'a dyn BusHandler,
        place: &'a mut BusPlace,
    ) -> RedisResult<Self> {
        let login = link.login_version();
        let mut connection = link.connect(STEP).await?;
        let here = in_time(STEP, Position::now(&reader.bus, &mut connection)).await?;
        link.lose_the_other_server(here.run_id(), here.floor);
        let asks = AskReader::begin(handler.asks(), &mut place.asks, &mut connection).await?;
        // Nothing fails from here on.
        let last = match place.position.take() {
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
            asks,
            idle_behind: false,
            checked_at,
            refusals: Refusals::default(),
            login,
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
        let (messages, asks) = self.read().await?;
        self.reader.hears_now();
        self.has_heard = true;
        let n_asks = asks.iter().map(|(_, asks)| asks.len()).sum();
        let batch = ReadBatch { asked, n_messages: messages.len(), n_asks };
        // The bus first: what is asked may be about what it says.
        self.take(messages).await;
        self.reader.acted_on.send_replace(self.last.sequence);
        for (stream, asks) in asks {
            self.asks.take(&stream, asks);
        }
        if batch.timed_out() || Moment::now().since(self.checked_at) >= CHECK_EVERY {
            self.check_status(&batch).await?;
        }
        // A server that does not block must not be asked again without a pause.
        let took = Moment::now().since(asked);
        if batch.timed_out() && took < BLOCK / 2 {
            tokio::time::sleep(BLOCK.saturating_sub(took)).await;
        }
        Ok(())
    }

    /// Checks whether messages are outstanding and whether invalidations can be written, and
    /// extends trust accordingly.
    async fn check_status(&mut self, batch: &ReadBatch) -> RedisResult<()> {
        let bus = &self.reader.bus;
        let login = self.link.login_version();
        if login != self.login {
            self.link.log_in(&mut self.connection).await?;
            self.login = login;
        }
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
        self.asks.is_now(bus.clock().now_ms());
        // A message may arrive between the two commands. If it is absent twice in a row, it is
        // lost. A read that asks ended has read the bus as well.
        let is_behind = status.sequence != self.last.sequence;
        let was_behind = self.idle_behind;
        self.idle_behind = batch.is_empty() && is_behind;
        if status.sequence < self.last.sequence || (self.idle_behind && was_behind) {
            self.skip(status.sequence).await?;
        }
        let heard = match is_behind {
            false => Some(status.asked),
            // The read took all messages that existed at that time. The next read takes later ones.
            // Asks alone prove nothing.
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
            (Some(_), None) if bus.observes() => {
                reader.trust().blame("no node writes the heartbeat".to_owned());
            }
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
        // What had been announced may be among them.
        self.idle_behind &= messages.is_empty();
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
