use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::ScriptInvocation;

use crate::clock::{Moment, RedisClock};

/// For so long a node's own success shows that its invalidations can be written.
const PROOF: Duration = Duration::from_secs(1);

/// The stream keeps about so many messages, fewer where they are large; a node that was deaf for
/// longer empties the L1 of the caches that they were about.
pub(super) const MAX_MESSAGES: usize = 10_000;

/// What every script that announces begins with: `announce(k, at, targets)` appends a message for
/// each target, or one with its own, to the bus whose keys begin at `k`: bus, sequence, last
/// numbers. Its arguments stand at `at`. Answers the last message's number. `remove(entry, k, at)`
/// removes what the message is about under every schema.
///
/// Messages carry a number of their own, so that a reader notices any gap. Where the number is
/// lost it goes on at the server's time in microseconds, so that it never comes back to a value
/// that an entry was stamped with.
///
/// The hash of last numbers tells whom a gap concerns: by cache the number of its last message,
/// `#` the last number recorded here, `*` the last one that was not, because a node of an earlier
/// version gave it out. The stream keeps about 16 MiB, counting 128 bytes for what is around a
/// target.
///
/// A cache's schemas other than 0 stand in a sorted set beside the bus, by the millisecond until
/// which their entries may live. Each message names those whose entries were removed with it, so
/// that nodes of another one know that theirs was not.
pub(crate) const ANNOUNCE: &str = "
local known
local function schemas(k, at)
  if known then return known end
  known = {}
  local registry = string.sub(KEYS[k], 1, -4) .. 'schemas:' .. ARGV[at + 2]
  local found = redis.pcall('ZRANGE', registry, 0, -1, 'WITHSCORES')
  -- Something else lies there, or may not be read: nodes of other schemas remove their entries
  -- themselves.
  if found.err then
    if string.find(found.err, 'WRONGTYPE', 1, true) then redis.call('UNLINK', registry) end
    return known
  end
  local now = #found > 0 and redis.call('TIME')[1] * 1000
  for i = 1, #found, 2 do
    if tonumber(found[i + 1]) > now then
      known[#known + 1] = found[i]
    else
      redis.call('ZREM', registry, found[i])
    end
  end
  return known
end
-- Acts on what lies at an entry's key, and on the entries of its target under other schemas.
local function each(entry, k, at, target, act)
  act(entry)
  local stem = string.sub(KEYS[k], 1, -5) .. ':' .. ARGV[at + 2]
  local function other(key)
    if key ~= entry then act(key) end
  end
  other(stem .. ':' .. target)
  for _, schema in ipairs(schemas(k, at)) do other(stem .. '@' .. schema .. ':' .. target) end
end
local function remove(entry, k, at)
  each(entry, k, at, ARGV[at + 3], function(key) redis.call('UNLINK', key) end)
end
local function begin(sequence)
  if redis.call('EXISTS', sequence) == 0 then
    local now = redis.call('TIME')
    redis.call('SET', sequence, string.format('%.0f', now[1] * 1000000 + now[2]))
  end
end
local function record(last, cache, before, n)
  local known = redis.call('HMGET', last, '#', '*')
  if not known[2] or tonumber(known[1]) ~= before then
    redis.call('HSET', last, '*', string.format('%.0f', before))
  end
  n = string.format('%.0f', n)
  redis.call('HSET', last, '#', n, cache, n)
end
local function announce(k, at, targets)
  local bus, sequence, last = KEYS[k], KEYS[k + 1], KEYS[k + 2]
  -- Trims first: where memory is full, Redis refuses what adds, unless something went before it.
  redis.call('XTRIM', bus, 'MAXLEN', '~', ARGV[at])
  begin(sequence)
  local before, n
  local removed = table.concat(schemas(k, at), ' ')
  for _, target in ipairs(targets or {ARGV[at + 3]}) do
    local room = math.floor(16777216 / (#target + 128))
    room = math.max(1, math.min(room, tonumber(ARGV[at])))
    n = redis.call('INCR', sequence)
    before = before or n - 1
    redis.call('XADD', bus, 'MAXLEN', '~', room, '*', 's', string.format('%.0f', n),
      'k', ARGV[at + 1], 'c', ARGV[at + 2], 't', target, 'o', ARGV[at + 4], 'v', removed)
  end
  record(last, ARGV[at + 2], before, n)
  return n
end
";

/// Where messages go, and who sends them.
#[derive(Clone)]
pub(crate) struct Bus {
    inner: Arc<Inner>,
}

struct Inner {
    namespace: String,
    stream: String,
    sequence: String,
    last: String,
    beat: String,
    /// Random, so that a node knows its own messages whatever it is called.
    origin: String,
    sent: AtomicU64,
    seen: AtomicU64,
    /// Before this node last wrote what proves that invalidations can be written, as a `Moment`.
    proved: AtomicU64,
    clock: RedisClock,
}

/// What a message is about.
pub(crate) enum What<'a> {
    Key(&'a str),
    Soft(&'a str),
    Pattern(&'a str),
    Tag(&'a str),
    All,
}

/// One message as heard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) sequence: u64,
    pub(crate) cache: String,
    pub(crate) subject: Subject,
    pub(crate) origin: String,
    /// The schemas whose entries were removed with it; `None` where the sender knows of none.
    removed: Option<Vec<u16>>,
}

/// What a heard message is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Key(String),
    /// A key that may be served stale while it is refreshed.
    Soft(String),
    Pattern(String),
    Tag(String),
    All,
}

impl Bus {
    pub(crate) fn new(namespace: &str) -> Self {
        let inner = Inner {
            namespace: namespace.to_owned(),
            stream: format!("{{{namespace}}}!bus"),
            sequence: format!("{{{namespace}}}!bus:sequence"),
            last: format!("{{{namespace}}}!bus:last"),
            beat: format!("{{{namespace}}}!bus:beat"),
            origin: format!("{:016x}", rand::random::<u64>()),
            sent: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            proved: AtomicU64::new(0),
            clock: RedisClock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.inner.namespace
    }

    /// How the keys of a cache's entries begin, up to its name. All keys of a namespace share one
    /// hash tag, so that a script or an MGET may touch several of them on Redis Cluster too.
    pub(crate) fn stem(&self, cache: &str) -> String {
        format!("{{{}}}:{cache}", self.inner.namespace)
    }

    /// A key beside the entries, which no glob of theirs matches.
    pub(crate) fn beside(&self, name: &str) -> String {
        format!("{{{}}}!{name}", self.inner.namespace)
    }

    pub(crate) fn stream(&self) -> &str {
        &self.inner.stream
    }

    pub(crate) fn sequence(&self) -> &str {
        &self.inner.sequence
    }

    /// The number of each cache's last message.
    pub(super) fn last(&self) -> &str {
        &self.inner.last
    }

    pub(super) fn beat(&self) -> &str {
        &self.inner.beat
    }

    pub(super) fn origin(&self) -> &str {
        &self.inner.origin
    }

    /// Redis's clock, by which all nodes measure what they share.
    pub(crate) fn clock(&self) -> &RedisClock {
        &self.inner.clock
    }

    /// Takes note that Redis took what this node wrote after `asked` as it invalidates.
    pub(crate) fn proved(&self, asked: Moment) {
        self.inner.proved.fetch_max(asked.as_nanos(), Ordering::Relaxed);
    }

    /// Whether it did within the last second.
    pub(crate) fn is_proved(&self) -> bool {
        let asked = self.inner.proved.load(Ordering::Relaxed);
        asked > 0 && Moment::now().before(PROOF).as_nanos() <= asked
    }

    pub(crate) fn sent(&self) -> u64 {
        self.inner.sent.load(Ordering::Relaxed)
    }

    /// Takes note of a number of the bus.
    pub(super) fn saw(&self, sequence: u64) {
        self.inner.seen.fetch_max(sequence, Ordering::Relaxed);
    }

    /// The highest number of the bus that this node has seen.
    pub(super) fn seen(&self) -> u64 {
        self.inner.seen.load(Ordering::Relaxed)
    }

    /// Whether this node sent it, and so has already acted on it.
    pub(crate) fn is_own(&self, message: &Message) -> bool {
        message.origin == self.inner.origin
    }

    /// Appends a message to the keys and arguments of a script that announces.
    pub(crate) fn message(
        &self,
        invocation: &mut ScriptInvocation<'_>,
        cache: &str,
        what: What<'_>,
    ) {
        let (kind, target) = match what {
            What::Key(key) => ("key", key),
            What::Soft(key) => ("soft", key),
            What::Pattern(pattern) => ("pattern", pattern),
            What::Tag(tag) => ("tag", tag),
            What::All => ("all", ""),
        };
        invocation.key(self.stream()).key(self.sequence()).key(self.last());
        invocation.arg(MAX_MESSAGES).arg(kind).arg(cache).arg(target).arg(&self.inner.origin);
        self.sends(1);
    }

    pub(crate) fn sends(&self, n_messages: u64) {
        self.inner.sent.fetch_add(n_messages, Ordering::Relaxed);
    }
}

impl Message {
    /// The number and the cache of a message that cannot be read.
    pub(super) fn about(fields: &HashMap<Vec<u8>, Vec<u8>>) -> Option<(u64, &str)> {
        let field = |name: &str| str::from_utf8(fields.get(name.as_bytes())?).ok();
        Some((field("s")?.parse().ok()?, field("c")?))
    }

    /// Whether an entry of this schema went with it, as far as it concerns entries of L2.
    pub(crate) fn removed(&self, schema: u16) -> bool {
        let removed = self.removed.as_ref();
        schema == 0
            || matches!(self.subject, Subject::Tag(_))
            || removed.is_some_and(|removed| removed.contains(&schema))
    }

    /// Reads a message; `None` where it is none of ours.
    pub(crate) fn read(fields: &HashMap<Vec<u8>, Vec<u8>>) -> Option<Self> {
        let field = |name: &str| str::from_utf8(fields.get(name.as_bytes())?).ok();
        let target = || field("t").map(str::to_owned);
        let subject = match field("k")? {
            "key" => Subject::Key(target()?),
            "soft" => Subject::Soft(target()?),
            "pattern" => Subject::Pattern(target()?),
            "tag" => Subject::Tag(target()?),
            "all" => Subject::All,
            _ => return None,
        };
        Some(Self {
            sequence: field("s")?.parse().ok()?,
            cache: field("c")?.to_owned(),
            subject,
            origin: field("o")?.to_owned(),
            removed: field("v")
                .map(|schemas| schemas.split(' ').filter_map(|one| one.parse().ok()).collect()),
        })
    }
}
