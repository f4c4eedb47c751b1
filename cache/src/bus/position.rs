//! How far the stream has been read.

use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, pipe};

use super::asks::AskProgress;
use crate::connection::{Bus, must_take_invalidations, run_id};

const MAX_TRIES: u32 = 8;

/// The last message seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    run_id: String,
    /// Entries count if their number of the bus is at least this.
    pub(crate) floor: u64,
    pub(crate) last_id: String,
    pub(crate) sequence: u64,
}

/// Where a node stands in the bus and in what is read with it, between two connections.
#[derive(Default)]
pub(crate) struct BusPlace {
    /// `None` where nothing of the bus was heard yet.
    pub(crate) position: Option<Position>,
    pub(crate) asks: AskProgress,
}

/// A message as it lies in the stream: its id and its fields.
pub(crate) type StreamEntry = (String, HashMap<Vec<u8>, Vec<u8>>);

impl Position {
    /// The current end of the stream.
    pub(crate) async fn now(
        bus: &Bus,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Self> {
        let run_id = run_id(connection).await?;
        must_take_invalidations(connection).await?;
        let floor = bus.begin(connection, &run_id).await?;
        let (sequence, last) = end(bus, connection).await?;
        Ok(Self {
            run_id,
            floor,
            last_id: last.into_iter().next().map_or_else(|| "0-0".to_owned(), |(id, _)| id),
            sequence,
        })
    }

    /// Whether both positions belong to one run of Redis that has lost no number in between. Redis
    /// can then say which caches had messages in between.
    pub(crate) fn is_of_one_run(&self, here: &Self) -> bool {
        self.is_same_run(here) && here.sequence >= self.sequence
    }

    fn is_same_run(&self, here: &Self) -> bool {
        self.run_id == here.run_id || self.run_id.is_empty() || here.run_id.is_empty()
    }

    /// The run of Redis. Empty if Redis does not report one.
    pub(crate) fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Whether all messages between the two positions can still be read. This needs the same run of
    /// Redis, no lost number, and, if messages are outstanding, a stream that ends after this
    /// position. If messages in between were trimmed, the next number is out of step.
    pub(crate) fn is_continued_by(&self, here: &Self) -> bool {
        self.is_same_run(here)
            && match here.sequence.cmp(&self.sequence) {
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => true,
                std::cmp::Ordering::Greater => {
                    here.last_id != "0-0" && here.last_id != self.last_id
                }
            }
    }
}

/// The number of the last message, and the last message itself. Uses no transaction, since Redis
/// accepts none while its memory is full. If messages keep coming in between, the next one shows a
/// gap.
async fn end(
    bus: &Bus,
    connection: &mut MultiplexedConnection,
) -> RedisResult<(u64, Vec<StreamEntry>)> {
    let mut ask = pipe();
    ask.get(bus.sequence());
    ask.cmd("XREVRANGE").arg(bus.stream()).arg("+").arg("-").arg("COUNT").arg(1);
    ask.get(bus.sequence());
    let mut n_tries = 0;
    loop {
        type Answer = (Option<u64>, Vec<StreamEntry>, Option<u64>);
        let (before, last, after): Answer = ask.query_async(connection).await?;
        n_tries += 1;
        if before == after || n_tries == MAX_TRIES {
            return Ok((before.unwrap_or(0), last));
        }
    }
}
