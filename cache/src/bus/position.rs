use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd, pipe};

use super::Bus;
use crate::clock;
use crate::l2::run_id;

/// The last message seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    run_id: String,
    pub(super) last_id: String,
    pub(super) sequence: u64,
}

/// A message as it lies in the stream: its id and its fields.
pub(super) type Appended = (String, HashMap<Vec<u8>, Vec<u8>>);

impl Position {
    /// Where the stream ends now.
    pub(super) async fn now(
        bus: &Bus,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Self> {
        let run_id = run_id(connection).await?;
        bus.begin(connection, &run_id).await?;
        let (sequence, last): (Option<u64>, Vec<Appended>) = pipe()
            .atomic()
            .get(bus.sequence())
            .cmd("XREVRANGE")
            .arg(bus.stream())
            .arg("+")
            .arg("-")
            .arg("COUNT")
            .arg(1)
            .query_async(connection)
            .await?;
        Ok(Self {
            run_id,
            last_id: last.into_iter().next().map_or_else(|| "0-0".to_owned(), |(id, _)| id),
            sequence: sequence.unwrap_or(0),
        })
    }

    /// Whether everything between the two can still be read: the same run of Redis, no sequence
    /// lost, and where messages are outstanding a stream that still reaches beyond us. What was
    /// trimmed between the two shows as a number out of step.
    pub(super) fn is_continued_by(&self, here: &Self) -> bool {
        let is_same_run =
            self.run_id == here.run_id || self.run_id.is_empty() || here.run_id.is_empty();
        is_same_run
            && match here.sequence.cmp(&self.sequence) {
                std::cmp::Ordering::Less => false,
                std::cmp::Ordering::Equal => true,
                std::cmp::Ordering::Greater => {
                    here.last_id != "0-0" && here.last_id != self.last_id
                }
            }
    }
}

/// How far Redis's clock is ahead of ours, milliseconds, to within half a round trip.
pub(super) async fn clock_ahead_ms(connection: &mut MultiplexedConnection) -> RedisResult<i64> {
    let before_ms = clock::now_ms();
    let (seconds, micros): (u64, u64) = cmd("TIME").query_async(connection).await?;
    let ours_ms = before_ms.midpoint(clock::now_ms());
    Ok((seconds * 1_000 + micros / 1_000).cast_signed() - ours_ms.cast_signed())
}
