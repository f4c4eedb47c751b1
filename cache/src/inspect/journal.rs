//! Capped lists of lines in Redis.

use std::collections::HashMap;
use std::time::Duration;

use redis::{Script, cmd, pipe};

use crate::clock::millis;
use crate::connection::{CallError, Link, scripts};

/// A capped list of lines in Redis that survives a restart of the program: a stream beside the bus.
#[derive(Clone, Copy, Debug)]
pub struct Journal<'a> {
    /// Its name: `a-z`, `0-9`, `_` and `-`.
    pub name: &'a str,
    /// About this many lines are kept.
    pub max_lines: usize,
    /// How long it is kept after its newest line; `None` is for ever.
    pub kept_for: Option<Duration>,
}

scripts! {
    script;

    /// Appends a line of a given time, unless the newest line is of that time or later. The time may
    /// be a minute ahead of Redis's own, so that no clock that goes wrong keeps others out. Answers
    /// whether it did. KEYS: journal. ARGV: the time, milliseconds; how many lines are kept; how long,
    /// milliseconds, or nothing; the line.
    APPEND_AT, "journal append at" =
        "local time = redis.call('TIME')
         local latest = time[1] * 1000 + math.floor(time[2] / 1000) + 60000
         local at, id = tonumber(ARGV[1]), ARGV[1] .. '-0'
         if at > latest then return 0 end
         local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
         local newest_at = newest and tonumber(string.match(newest[1], '^%d+'))
         if newest_at and newest_at >= at then
           if newest_at <= latest then return 0 end
           -- Redis's clock was set back.
           id = '*'
         end
         redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], id, 'l', ARGV[4])
         if ARGV[3] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
         return 1";
}

fn script(body: &str) -> Script {
    Script::new(body)
}

impl Journal<'_> {
    fn key(&self, namespace: &str) -> String {
        format!("{{{namespace}}}!journal:{}", self.name)
    }
}

impl Link {
    /// Appends all lines or, if Redis is away, perhaps some of them. The caller may try again.
    pub(crate) async fn append(
        &self,
        namespace: &str,
        journal: Journal<'_>,
        lines: &[String],
    ) -> Result<(), CallError> {
        let key = journal.key(namespace);
        let mut append = pipe();
        for line in lines {
            append.cmd("XADD").arg(&key).arg("MAXLEN").arg("~").arg(journal.max_lines);
            append.arg("*").arg("l").arg(line);
        }
        if let Some(kept_for) = journal.kept_for {
            append.cmd("PEXPIRE").arg(&key).arg(millis(kept_for)).ignore();
        }
        self.inspect::<Vec<String>>(&append).await.map(|_| ())
    }

    /// Appends a line of this time, milliseconds since the epoch, unless the newest one is of that time
    /// or later. Answers whether it did.
    pub(crate) async fn append_at(
        &self,
        namespace: &str,
        journal: Journal<'_>,
        (at_ms, line): (u64, &str),
    ) -> Result<bool, CallError> {
        let kept_for = journal.kept_for.map(|kept_for| millis(kept_for).to_string());
        let mut script = APPEND_AT.prepare_invoke();
        script.key(journal.key(namespace)).arg(at_ms).arg(journal.max_lines);
        script.arg(kept_for.unwrap_or_default()).arg(line);
        self.inspect::<u64>(&script).await.map(|appended| appended == 1)
    }

    pub(crate) async fn newest(
        &self,
        namespace: &str,
        journal: Journal<'_>,
    ) -> Result<Vec<String>, CallError> {
        type Lines = Vec<(String, HashMap<String, String>)>;
        let mut newest = cmd("XREVRANGE");
        newest.arg(journal.key(namespace)).arg("+").arg("-");
        newest.arg("COUNT").arg(journal.max_lines);
        let lines: Lines = self.inspect(&newest).await?;
        Ok(lines.into_iter().filter_map(|(_, mut fields)| fields.remove("l")).collect())
    }
}
