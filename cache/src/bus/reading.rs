//! How the bus is read: together with the streams of asks where Redis lets it, else alone.

use std::time::Duration;

use redis::{Cmd, RedisError, RedisResult, cmd};

use super::asks::ASKS_AT_ONCE;
use super::bus_connection::{BusConnection, SILENT_AFTER};
use super::position::StreamEntry;
use crate::clock;
use crate::clock::Moment;
use crate::connection::{ErrorClass, ErrorReply, in_time};

/// How long one read of the stream blocks when nothing comes.
pub(super) const BLOCK: Duration = Duration::from_millis(500);

const MAX_BATCH: usize = 500;

/// What was read of each stream that had anything.
pub(super) type Streams = Vec<(String, Vec<StreamEntry>)>;

/// The result of one read of the stream.
pub(super) struct ReadBatch {
    /// The moment before Redis was asked.
    pub(super) asked: Moment,
    pub(super) n_messages: usize,
    pub(super) n_asks: usize,
}

impl ReadBatch {
    /// Nothing came of the bus. It may have brought asks, which say nothing of the bus.
    pub(super) fn is_empty(&self) -> bool {
        self.n_messages == 0
    }

    /// Nothing came at all, for as long as the server blocks.
    pub(super) fn timed_out(&self) -> bool {
        self.is_empty() && self.n_asks == 0
    }

    /// Further messages may be outstanding.
    pub(super) fn is_full(&self) -> bool {
        self.n_messages >= MAX_BATCH
    }
}

impl BusConnection<'_> {
    /// Messages of the bus, and what other streams have. Where Redis refuses to read the others,
    /// the bus is read alone.
    pub(super) async fn read(&mut self) -> RedisResult<(Vec<StreamEntry>, Streams)> {
        self.asks.wake(self.reader.bus.clock().now_ms());
        if !self.asks.is_read() {
            return Ok((self.read_alone().await?, Streams::new()));
        }
        let read = match self.read_together().await {
            Ok(read) => read,
            Err(error) if is_refused(&error) => {
                self.asks.refused(&mut self.connection).await;
                return Ok((self.read_alone().await?, Streams::new()));
            }
            Err(error) => {
                self.asks.rest();
                return Err(error);
            }
        };
        self.asks.were_read();
        let bus = self.reader.bus.stream();
        let (bus, others): (Streams, Streams) = read.into_iter().partition(|(name, _)| name == bus);
        let mut messages = messages_of(bus);
        // The same number counts for each stream: the rest of the bus follows at once.
        if let Some((last_id, _)) = messages.last().filter(|_| messages.len() >= ASKS_AT_ONCE) {
            let mut xread = cmd("XREAD");
            xread.arg("COUNT").arg(MAX_BATCH);
            xread.arg("STREAMS").arg(self.reader.bus.stream()).arg(last_id);
            messages.extend(messages_of(self.ask_for(xread).await?));
        }
        Ok((messages, others))
    }

    async fn read_alone(&mut self) -> RedisResult<Vec<StreamEntry>> {
        let mut xread = cmd("XREAD");
        xread.arg("COUNT").arg(MAX_BATCH).arg("BLOCK").arg(clock::millis(BLOCK));
        xread.arg("STREAMS").arg(self.reader.bus.stream()).arg(&self.last.last_id);
        self.ask_for(xread).await.map(messages_of)
    }

    async fn read_together(&mut self) -> RedisResult<Streams> {
        let mut xread = cmd("XREAD");
        xread.arg("COUNT").arg(ASKS_AT_ONCE).arg("BLOCK").arg(clock::millis(BLOCK));
        self.asks.add_to(&mut xread, &self.reader.bus, &self.last.last_id);
        self.ask_for(xread).await
    }

    async fn ask_for(&mut self, xread: Cmd) -> RedisResult<Streams> {
        let read = xread.query_async::<Option<Streams>>(&mut self.connection);
        Ok(in_time(SILENT_AFTER, read).await?.unwrap_or_default())
    }
}

fn messages_of(streams: Streams) -> Vec<StreamEntry> {
    streams.into_iter().flat_map(|(_, messages)| messages).collect()
}

fn is_refused(error: &RedisError) -> bool {
    ErrorReply::read(error).verdict == ErrorClass::Refused
}
