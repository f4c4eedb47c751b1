//! The task that reads what nodes say to a console: it blocks on a connection of its own, while
//! anything is asked, or a key is watched.

use std::collections::HashMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use serde::de::DeserializeOwned;
use strata_report::{NodeEvents, Reply};

use super::client::Console;
use crate::clock::millis;
use crate::connection::in_time;
use crate::fleet::form;
use crate::log::log_safely;

const BLOCK: Duration = Duration::from_millis(500);

/// One command on that connection takes no longer.
const WITHIN: Duration = Duration::from_millis(1_500);

const MAX_BATCH: usize = 256;

const RETRY: Duration = Duration::from_millis(100);

type Entries = Vec<(String, HashMap<Vec<u8>, Vec<u8>>)>;

/// What a field holds, where it is what nodes of this protocol write.
fn of_field<T: DeserializeOwned>(fields: &HashMap<Vec<u8>, Vec<u8>>, name: &[u8]) -> Option<T> {
    form::read(fields.get(name)?, form::MAX_BYTES).ok()
}

impl Console {
    /// Reads answers for ever.
    pub(crate) async fn read_replies(&self) {
        let mut last = "0-0".to_owned();
        loop {
            self.until_asked().await;
            let Err(error) = self.read_on(&mut last).await else { continue };
            log_safely(|| tracing::debug!(%error, "answers of nodes cannot be read"));
            // Where Redis was started again, its answers have other numbers.
            "0-0".clone_into(&mut last);
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Until anything is asked, or nodes are to tell of a key.
    async fn until_asked(&self) {
        while !self.pending.has_any() && !self.watched.has_any() {
            self.pending.begun.notified().await;
        }
    }

    async fn read_on(&self, last: &mut String) -> RedisResult<()> {
        let mut connection = self.link.connect(WITHIN).await?;
        loop {
            self.until_asked().await;
            let began = tokio::time::Instant::now();
            let entries = self.read(&mut connection, last).await?;
            if entries.is_empty() && began.elapsed() < BLOCK / 2 {
                // A server that does not block.
                tokio::time::sleep(RETRY).await;
            }
            for (id, fields) in entries {
                if let Some(reply) = of_field::<Reply>(&fields, b"r") {
                    self.pending.take(reply);
                }
                if let Some(events) = of_field::<NodeEvents>(&fields, b"e") {
                    self.watched.take(events);
                }
                *last = id;
            }
        }
    }

    /// What came after `last`, once something has. What was read is removed.
    async fn read(
        &self,
        connection: &mut MultiplexedConnection,
        last: &str,
    ) -> RedisResult<Entries> {
        let replies = self.names.replies(&self.id);
        let mut xread = cmd("XREAD");
        xread.arg("COUNT").arg(MAX_BATCH).arg("BLOCK").arg(millis(BLOCK));
        xread.arg("STREAMS").arg(&replies).arg(last);
        type Streams = Option<Vec<(String, Entries)>>;
        let streams: Streams = in_time(WITHIN, xread.query_async(connection)).await?;
        let entries: Entries = streams.into_iter().flatten().flat_map(|(_, read)| read).collect();
        if let Some((id, _)) = entries.last() {
            let mut trim = cmd("XTRIM");
            trim.arg(&replies).arg("MINID").arg("=").arg(id);
            // What was read counts, though it could not be removed.
            let _: RedisResult<u64> = in_time(WITHIN, trim.query_async(connection)).await;
        }
        Ok(entries)
    }
}
