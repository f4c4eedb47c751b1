//! How far the stream has been read.

use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, pipe};

use crate::connection::{Bus, must_take_invalidations, run_id};

const MAX_TRIES: u32 = 8;

/// The last message seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    run_id: String,
    /// From this number of the bus on entries count.
    pub(crate) floor: u64,
    pub(crate) last_id: String,
    pub(crate) sequence: u64,
}

/// A message as it lies in the stream: its id and its fields.
pub(crate) type StreamEntry = (String, HashMap<Vec<u8>, Vec<u8>>);

impl Position {
    /// Where the stream ends now.
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

    /// Whether the same run of Redis has lost no number between the two, so that it can say whose
    /// messages came in between.
    pub(crate) fn is_of_one_run(&self, here: &Self) -> bool {
        self.is_same_run(here) && here.sequence >= self.sequence
    }

    fn is_same_run(&self, here: &Self) -> bool {
        self.run_id == here.run_id || self.run_id.is_empty() || here.run_id.is_empty()
    }

    /// The run of Redis; empty where it tells none.
    pub(crate) fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Whether everything between the two can still be read: the same run of Redis, no sequence
    /// lost, and where messages are outstanding a stream that still reaches beyond us. What was
    /// trimmed between the two shows as a number out of step.
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

/// The number of the last message, and the last message itself. In no transaction, since Redis takes
/// none while its memory is full; where messages keep coming in between, the next one shows a gap.
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
