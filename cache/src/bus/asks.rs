//! Streams beside the bus that are read with it: what consoles ask of the node. They cost no
//! connection and no command of their own, and nothing that lies there can hold up the bus.

use std::collections::HashMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisResult, cmd, pipe};

use super::position::StreamEntry;
use super::reader::STEP;
use crate::clock::Moment;
use crate::connection::{Bus, in_time};

/// Asks that lie there since this long before the node connected are read: a console does not wait
/// longer for an answer.
const BEFORE_MS: u64 = 2_000;

/// Where Redis refuses to read them, the bus is read alone for so long.
const RESTS_FOR: Duration = Duration::from_secs(5);

/// Who is told of what consoles ask.
pub(crate) trait AskHandler: Send + Sync {
    /// The streams to read.
    fn streams(&self) -> &[String; 2];
    /// Takes what was found. Must not wait.
    fn on_ask(&self, fields: &HashMap<Vec<u8>, Vec<u8>>);
}

/// How far the asks were read on one connection.
pub(crate) struct AskReader<'a> {
    handler: Option<&'a dyn AskHandler>,
    last: [String; 2],
    rests_until: Option<Moment>,
}

impl<'a> AskReader<'a> {
    /// From a moment before now on, by Redis's clock.
    pub(crate) async fn begin(
        handler: Option<&'a dyn AskHandler>,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Self> {
        let mut now_ms = 0;
        if handler.is_some() {
            let time = cmd("TIME");
            let asking = time.query_async::<(u64, u64)>(connection);
            let (seconds, micros) = in_time(STEP, asking).await?;
            now_ms = seconds * 1_000 + micros / 1_000;
        }
        Ok(Self { handler, last: [first_id(now_ms), first_id(now_ms)], rests_until: None })
    }

    /// Whether they are read now.
    pub(crate) fn is_read(&self) -> bool {
        let rests = self.rests_until.is_some_and(|until| Moment::now() < until);
        self.handler.is_some() && !rests
    }

    /// Adds the streams to a command that reads the bus, as `STREAMS bus asks… id id…`.
    pub(crate) fn add_to(&self, xread: &mut Cmd, bus: &Bus, last_id: &str) {
        xread.arg("STREAMS").arg(bus.stream());
        match self.handler.filter(|_| self.is_read()) {
            Some(handler) => {
                let ([all, own], [last, last_own]) = (handler.streams(), &self.last);
                xread.arg(all).arg(own).arg(last_id).arg(last).arg(last_own);
            }
            None => _ = xread.arg(last_id),
        }
    }

    /// Hands over what was read of a stream.
    pub(crate) fn take(&mut self, stream: &str, asks: Vec<StreamEntry>) {
        let Some(handler) = self.handler else { return };
        let place = handler.streams().iter().position(|name| name == stream);
        for (id, fields) in asks {
            handler.on_ask(&fields);
            if let Some(last) = place.and_then(|place| self.last.get_mut(place)) {
                *last = id;
            }
        }
    }

    /// Where Redis's clock was set back, new asks have lower numbers than those that were read.
    pub(crate) fn is_now(&mut self, now_ms: u64) {
        for last in &mut self.last {
            let ms = last.split('-').next().and_then(|ms| ms.parse::<u64>().ok());
            if ms.is_some_and(|ms| ms > now_ms.saturating_add(BEFORE_MS)) {
                *last = first_id(now_ms);
            }
        }
    }

    /// Redis refuses to read them: the bus is read alone for a while. What is no stream and lies
    /// where asks do is removed.
    pub(crate) async fn refused(&mut self, connection: &mut MultiplexedConnection) {
        self.rests_until = Some(Moment::now().after(RESTS_FOR));
        let Some(handler) = self.handler else { return };
        let mut ask = pipe();
        for stream in handler.streams() {
            ask.cmd("TYPE").arg(stream);
        }
        let types = in_time(STEP, ask.query_async::<Vec<String>>(connection)).await;
        for (stream, kind) in handler.streams().iter().zip(types.unwrap_or_default()) {
            if kind != "stream" && kind != "none" {
                let mut unlink = cmd("UNLINK");
                unlink.arg(stream);
                // Where that is refused as well, the bus goes on without asks.
                let _: RedisResult<u64> = in_time(STEP, unlink.query_async(connection)).await;
            }
        }
    }
}

fn first_id(now_ms: u64) -> String {
    format!("{}-0", now_ms.saturating_sub(BEFORE_MS))
}
