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

/// So many asks of a stream are read at once at most, so that the bus is not kept waiting for what
/// lies beside it.
pub(crate) const ASKS_AT_ONCE: usize = 16;

/// Asks that lie there since this long before the node connected are read: a console does not wait
/// longer for an answer.
const BEFORE_MS: u64 = 2_000;

/// Where they cannot be read, the bus is read alone for so long; each time that follows at once, for
/// twice as long, up to a limit.
const RESTS_FOR: Duration = Duration::from_secs(5);
const RESTS_AT_MOST: Duration = Duration::from_secs(60);

/// Who is told of what consoles ask.
pub(crate) trait AskHandler: Send + Sync {
    /// The streams to read.
    fn streams(&self) -> &[String; 2];
    /// Takes what was found. Must not wait.
    fn on_ask(&self, fields: &HashMap<Vec<u8>, Vec<u8>>);
}

/// How far the asks were read, whatever becomes of a connection.
#[derive(Default)]
pub(crate) struct AskProgress {
    /// `None` before the first connection.
    last: Option<[String; 2]>,
    rests_until: Option<Moment>,
    /// How long it rests next.
    rest: Option<Duration>,
}

/// Reads the asks on one connection.
pub(crate) struct AskReader<'a> {
    handler: Option<&'a dyn AskHandler>,
    progress: &'a mut AskProgress,
}

impl<'a> AskReader<'a> {
    /// Goes on where the last connection stopped. The first one begins a moment before now, by
    /// Redis's clock.
    pub(crate) async fn begin(
        handler: Option<&'a dyn AskHandler>,
        progress: &'a mut AskProgress,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Self> {
        if handler.is_some() && progress.last.is_none() {
            let time = cmd("TIME");
            let asking = time.query_async::<(u64, u64)>(connection);
            let (seconds, micros) = in_time(STEP, asking).await?;
            let first = first_id(seconds * 1_000 + micros / 1_000);
            progress.last = Some([first.clone(), first]);
        }
        Ok(Self { handler, progress })
    }

    /// Whether they are read now.
    pub(crate) fn is_read(&self) -> bool {
        let rests = self.progress.rests_until.is_some_and(|until| Moment::now() < until);
        self.handler.is_some() && !rests
    }

    /// After a rest, what nobody waits for any more is passed over.
    pub(crate) fn wake(&mut self, now_ms: u64) {
        if self.progress.rests_until.is_none() || !self.is_read() {
            return;
        }
        self.progress.rests_until = None;
        for last in self.progress.last.iter_mut().flatten() {
            if ms_of(last).is_none_or(|ms| ms < now_ms.saturating_sub(BEFORE_MS)) {
                *last = first_id(now_ms);
            }
        }
    }

    /// They were read with the bus.
    pub(crate) fn were_read(&mut self) {
        self.progress.rest = None;
    }

    /// The bus could not be read together with them: perhaps because of them. It is read alone for
    /// a while, on the next connection as well.
    pub(crate) fn rest(&mut self) {
        let rest = self.progress.rest.unwrap_or(RESTS_FOR);
        self.progress.rests_until = Some(Moment::now().after(rest));
        self.progress.rest = Some((rest * 2).min(RESTS_AT_MOST));
    }

    /// Adds the streams to a command that reads the bus, as `STREAMS bus asks… id id…`.
    pub(crate) fn add_to(&self, xread: &mut Cmd, bus: &Bus, last_id: &str) {
        xread.arg("STREAMS").arg(bus.stream());
        match self.handler.filter(|_| self.is_read()).zip(self.progress.last.as_ref()) {
            Some((handler, [last, last_own])) => {
                let [all, own] = handler.streams();
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
            let last = self.progress.last.as_mut().zip(place);
            if let Some(last) = last.and_then(|(last, place)| last.get_mut(place)) {
                *last = id;
            }
        }
    }

    /// Where Redis's clock was set back, new asks have lower numbers than those that were read.
    pub(crate) fn is_now(&mut self, now_ms: u64) {
        for last in self.progress.last.iter_mut().flatten() {
            if ms_of(last).is_some_and(|ms| ms > now_ms.saturating_add(BEFORE_MS)) {
                *last = first_id(now_ms);
            }
        }
    }

    /// Redis refuses to read them. What is no stream and lies where asks do is removed; where that
    /// was not it, the bus is read alone for a while.
    pub(crate) async fn refused(&mut self, connection: &mut MultiplexedConnection) {
        let mut n_removed = 0;
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
                let removed = in_time(STEP, unlink.query_async::<u64>(connection)).await;
                n_removed += removed.unwrap_or(0);
            }
        }
        if n_removed == 0 {
            self.rest();
        }
    }
}

fn ms_of(id: &str) -> Option<u64> {
    id.split('-').next().and_then(|ms| ms.parse().ok())
}

fn first_id(now_ms: u64) -> String {
    format!("{}-0", now_ms.saturating_sub(BEFORE_MS))
}
