//! The heartbeat proves that invalidations can be written. All nodes read it together with the bus.
//!
//! One node at a time writes it. The script makes the same calls as an invalidation, so it fails
//! when invalidations fail. The heartbeat is not a message on the bus, so nodes of versions that do
//! not know it are not affected.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, Script, ScriptInvocation, pipe};

use super::message::MAX_MESSAGES;
use super::position::StreamEntry;
use crate::clock::Moment;
use crate::connection::{
    ANNOUNCE, Bus, CallError, ErrorClass, ErrorReply, HelloReply, Link, PipelineReplies, Step,
    in_time, must_be_no_replica, scripts,
};
use crate::error::NotReady;

/// A heartbeat older than this does not count.
const YOUNG: Duration = Duration::from_secs(2);

/// Trust ends this long after the last valid heartbeat was written.
const PROVES_FOR: Duration = Duration::from_secs(3);

/// Trust ends this long after the bus was last asked with nothing outstanding.
const HEARD_FOR: Duration = Duration::from_millis(1_500);

/// The node that wrote the last heartbeat writes the next one after this time. The others wait
/// longer, so they write one only if that node is gone.
const WRITTEN_AGAIN_AFTER: Duration = Duration::from_millis(800);

const TAKEN_OVER_AFTER: Duration = Duration::from_millis(1_300);

/// After a refusal this node leaves the heartbeat to other nodes for this long.
const REST: Duration = Duration::from_millis(900);

scripts! {
    script;

    /// Writes the heartbeat unless a young one exists. Makes all the calls that an invalidation
    /// makes, on separate keys where a call would leave something behind. Returns when the last
    /// heartbeat was written and the current time, both in microseconds.
    /// KEYS: bus, sequence, heartbeat, a key for the trial calls.
    /// ARGV: the writer; the greatest age of a heartbeat by the same writer and of one by another
    /// writer, in microseconds; the greatest number of messages on the bus.
    HEARTBEAT, "bus beat" =
        "local time = redis.call('TIME')
         local now = time[1] * 1000000 + time[2]
         local last = redis.pcall('XREVRANGE', KEYS[3], '+', '-', 'COUNT', 1)[1]
         local at = last and tonumber(last[2][2])
         if at then
           local due = tonumber(last[2][4] == ARGV[1] and ARGV[2] or ARGV[3])
           if at <= now and now - at < due then
             return {string.format('%.0f', at), string.format('%.0f', now)}
           end
         end
         redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[4])
         redis.call('EXISTS', KEYS[2])
         redis.call('UNLINK', KEYS[4])
         redis.call('SET', KEYS[4], '0')
         redis.call('INCR', KEYS[4])
         redis.call('DEL', KEYS[4])
         redis.call('HSETNX', KEYS[4], 'since', '0')
         redis.call('HSET', KEYS[4], 'since', '0')
         redis.call('HMGET', KEYS[4], 'since')
         redis.call('HLEN', KEYS[4])
         redis.call('UNLINK', KEYS[4])
         redis.call('GETRANGE', KEYS[4], 0, 0)
         redis.call('SETRANGE', KEYS[4], 0, '')
         redis.call('SCAN', '0', 'COUNT', 1)
         local text = string.format('%.0f', now)
         redis.call('UNLINK', KEYS[3])
         redis.call('XADD', KEYS[3], '*', 'at', text, 'w', ARGV[1])
         return {text, text}";
}

/// The heartbeat and the state of the bus in Redis at one instant.
pub(crate) struct BusStatus {
    /// The moment before Redis was asked.
    pub(crate) asked: Moment,
    /// The number of the last message.
    pub(crate) sequence: u64,
    /// The time since the last heartbeat was written. `None` if there is none, or if Redis's clock
    /// was set back to before it.
    age: Option<Duration>,
    is_own: bool,
}

/// A heartbeat that this node has read or written.
pub(crate) struct Heartbeat {
    /// The moment before Redis was asked.
    asked: Moment,
    /// Its greatest possible age at that moment.
    age: Duration,
}

impl Heartbeat {
    /// The end of trust, given that all messages acknowledged before `heard` were heard. `None` if
    /// the heartbeat is too old.
    pub(crate) fn trusted_until(&self, heard: Moment) -> Option<Moment> {
        let left = PROVES_FOR.saturating_sub(self.age);
        let until = heard.after(HEARD_FOR).min(self.asked.after(left));
        (self.age <= YOUNG).then_some(until)
    }
}

/// When this node last tried to write the heartbeat and was refused.
#[derive(Default)]
pub(crate) struct Refusals {
    last: Option<Moment>,
}

impl BusStatus {
    /// Asks on the bus's own connection, in one round trip, and adjusts the clock by the answer.
    /// Refuses a replica.
    pub(crate) async fn ask(
        bus: &Bus,
        connection: &mut MultiplexedConnection,
    ) -> RedisResult<Self> {
        let asked = Moment::now();
        let mut ask = pipe();
        ask.cmd("XREVRANGE").arg(bus.heartbeat()).arg("+").arg("-").arg("COUNT").arg(1);
        ask.cmd("TIME").get(bus.sequence()).cmd("HELLO");
        let mut answers = PipelineReplies::to(&mut ask, connection).await?;
        let answered = Moment::now();
        let heartbeats: Vec<StreamEntry> = answers.next()?;
        let (seconds, micros): (u64, u64) = answers.next()?;
        let sequence: Option<u64> = answers.next()?;
        // If HELLO is forbidden or unknown, the server's role is not checked.
        must_be_no_replica(&answers.next::<HelloReply>().unwrap_or_default())?;
        let now_us = seconds * 1_000_000 + micros;
        bus.clock().read(now_us, (asked, answered));
        let fields = heartbeats.into_iter().next().map(|(_, fields)| fields);
        let field = |name: &str| str::from_utf8(fields.as_ref()?.get(name.as_bytes())?).ok();
        let at_us = field("at").and_then(|at| at.parse().ok());
        Ok(Self {
            asked,
            sequence: sequence.unwrap_or(0),
            age: at_us.and_then(|at_us| age(at_us, now_us)),
            is_own: field("w") == Some(bus.origin()),
        })
    }

    /// Whether this node should write the heartbeat.
    fn is_due(&self) -> bool {
        let after = if self.is_own { WRITTEN_AGAIN_AFTER } else { TAKEN_OVER_AFTER };
        self.age.is_none_or(|age| age >= after)
    }

    fn found(&self) -> Option<Heartbeat> {
        self.age.map(|age| Heartbeat { asked: self.asked, age })
    }

    /// Returns the heartbeat that was found, or writes a new one if it is due. A refusal is passed
    /// to `refused` and is not an error.
    pub(crate) async fn heartbeat(
        &self,
        (bus, connection): (&Bus, &mut MultiplexedConnection),
        refusals: &mut Refusals,
        refused: impl FnOnce(&RedisError),
    ) -> RedisResult<Option<Heartbeat>> {
        let rests = refusals.last.is_some_and(|last| self.asked < last.after(REST));
        if !self.is_due() || rests || bus.observes() {
            return Ok(self.found());
        }
        let asked = Moment::now();
        let writing = invocation(bus, [WRITTEN_AGAIN_AFTER, TAKEN_OVER_AFTER]);
        let written: RedisResult<(u64, u64)> = writing.invoke_async(connection).await;
        match written {
            Ok((at_us, now_us)) => {
                // If another node was faster, only that node has proved something.
                if at_us == now_us {
                    bus.proved(asked);
                }
                Ok(age(at_us, now_us).map(|age| Heartbeat { asked, age }))
            }
            Err(error) if ErrorReply::read(&error).verdict == ErrorClass::Lost => Err(error),
            Err(error) => {
                refusals.last = Some(asked);
                refused(&error);
                Ok(self.found())
            }
        }
    }
}

/// Repairs the heartbeat's key, which may hold a value of another type, by writing a heartbeat.
pub(crate) async fn repair_heartbeat(
    bus: &Bus,
    connection: &mut MultiplexedConnection,
    within: Duration,
) {
    if bus.observes() {
        return;
    }
    let writing = invocation(bus, [WRITTEN_AGAIN_AFTER, TAKEN_OVER_AFTER]);
    let _: RedisResult<(u64, u64)> = in_time(within, writing.invoke_async(connection)).await;
}

/// Writes a heartbeat by this node on the connection that its invalidations use.
pub(crate) async fn prove(bus: &Bus, link: &Link) -> Result<(), NotReady> {
    let asked = Moment::now();
    let writing = invocation(bus, [Duration::ZERO; 2]);
    let proved: Result<(u64, u64), CallError> = link.ask(Step::Prove, &writing).await;
    match proved {
        Ok(_) => {
            bus.proved(asked);
            Ok(())
        }
        Err(CallError::Away) => Err(NotReady::Away),
        Err(CallError::Refused(answer)) => {
            let (code, message) = (answer.code.into_owned(), answer.message);
            Err(NotReady::Refused { code, message })
        }
    }
}

fn invocation(bus: &Bus, [own, others]: [Duration; 2]) -> ScriptInvocation<'static> {
    let mut writing = HEARTBEAT.prepare_invoke();
    writing
        .key(bus.stream())
        .key(bus.sequence())
        .key(bus.heartbeat())
        .key(bus.beside("bus:beat:try"));
    writing.arg(bus.origin()).arg(micros(own)).arg(micros(others)).arg(MAX_MESSAGES);
    writing
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn age(at_us: u64, now_us: u64) -> Option<Duration> {
    now_us.checked_sub(at_us).map(Duration::from_micros)
}

fn script(body: &str) -> Script {
    Script::new(&format!("{ANNOUNCE}{body}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// How long trust lasts from the moment at which Redis was asked.
    fn trusted_for(age: Duration, heard_before: Duration) -> Option<Duration> {
        let asked = Moment::now();
        let until = Heartbeat { asked, age }.trusted_until(asked.before(heard_before))?;
        Some(until.since(asked))
    }

    fn look(age: Option<Duration>, is_own: bool) -> BusStatus {
        BusStatus { asked: Moment::now(), sequence: 0, age, is_own }
    }

    #[test]
    fn a_young_heartbeat_gives_trust_for_as_long_as_the_bus_may_be_silent() {
        assert_eq!(trusted_for(ms(0), ms(0)), Some(ms(1_500)));
        assert_eq!(trusted_for(ms(1_500), ms(0)), Some(ms(1_500)));
    }

    #[test]
    fn trust_ends_three_seconds_after_the_heartbeat_whenever_that_was_read() {
        assert_eq!(trusted_for(ms(1_800), ms(0)), Some(ms(1_200)));
        assert_eq!(trusted_for(ms(2_000), ms(0)), Some(ms(1_000)));
        assert_eq!(trusted_for(ms(2_001), ms(0)), None);
    }

    #[test]
    fn trust_runs_from_when_the_bus_was_asked() {
        assert_eq!(trusted_for(ms(0), ms(500)), Some(ms(1_000)));
        assert_eq!(trusted_for(ms(0), ms(1_500)), Some(ms(0)));
    }

    #[test]
    fn the_one_that_wrote_the_last_heartbeat_writes_the_next() {
        assert!(!look(Some(ms(799)), true).is_due());
        assert!(look(Some(ms(800)), true).is_due());
        assert!(!look(Some(ms(1_299)), false).is_due());
        assert!(look(Some(ms(1_300)), false).is_due());
    }

    #[test]
    fn a_heartbeat_that_is_missing_or_from_the_future_is_written_anew() {
        assert_eq!(age(3_600_000_000, 5), None);
        assert!(look(age(3_600_000_000, 5), false).is_due());
        assert!(look(None, true).is_due());
        assert!(look(None, true).found().is_none(), "it gives no trust");
    }
}
