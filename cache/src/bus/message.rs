use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::ScriptInvocation;

/// The stream keeps about so many messages; a node that was deaf for longer empties its L1.
const MAX_MESSAGES: usize = 10_000;

/// What every script that announces begins with: `announce(bus, sequence, at, target)` appends the
/// message whose arguments stand at `at`, about `target` where it is given, and answers its number.
///
/// Messages carry a number of their own, so that a reader notices any gap. Where the number is
/// lost it goes on at the server's time in microseconds, so that it never comes back to a value
/// that an entry was stamped with.
pub(crate) const ANNOUNCE: &str = "
local function begin(sequence)
  if redis.call('EXISTS', sequence) == 0 then
    local now = redis.call('TIME')
    redis.call('SET', sequence, string.format('%.0f', now[1] * 1000000 + now[2]))
  end
end
local function announce(bus, sequence, at, target)
  -- Trims first: where memory is full, Redis refuses what adds, unless something went before it.
  redis.call('XTRIM', bus, 'MAXLEN', '~', ARGV[at])
  begin(sequence)
  local n = redis.call('INCR', sequence)
  redis.call('XADD', bus, '*', 's', string.format('%.0f', n),
    'k', ARGV[at + 1], 'c', ARGV[at + 2], 't', target or ARGV[at + 3], 'o', ARGV[at + 4])
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
    /// Random, so that a node knows its own messages whatever it is called.
    origin: String,
    sent: AtomicU64,
    seen: AtomicU64,
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
            origin: format!("{:016x}", rand::random::<u64>()),
            sent: AtomicU64::new(0),
            seen: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.inner.namespace
    }

    /// How the keys of a cache's entries begin. All keys of a namespace share one hash tag, so
    /// that a script or an MGET may touch several of them on Redis Cluster too.
    pub(crate) fn prefix(&self, cache: &str) -> String {
        format!("{{{}}}:{cache}:", self.inner.namespace)
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
        invocation.key(self.stream()).key(self.sequence());
        invocation.arg(MAX_MESSAGES).arg(kind).arg(cache).arg(target).arg(&self.inner.origin);
        self.sends(1);
    }

    pub(crate) fn sends(&self, n_messages: u64) {
        self.inner.sent.fetch_add(n_messages, Ordering::Relaxed);
    }
}

impl Message {
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
        })
    }
}
