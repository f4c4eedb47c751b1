use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis::ScriptInvocation;

/// The stream keeps about so many messages; a node that was deaf for longer empties its L1.
const MAX_MESSAGES: usize = 10_000;

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
}

/// What a message is about.
pub(crate) enum What<'a> {
    Key(&'a str),
    Soft(&'a str),
    Pattern(&'a str),
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
    All,
}

impl Bus {
    pub(crate) fn new(namespace: &str) -> Self {
        let inner = Inner {
            namespace: namespace.to_owned(),
            stream: format!("{namespace}!bus"),
            sequence: format!("{namespace}!bus:sequence"),
            origin: format!("{:016x}", rand::random::<u64>()),
            sent: AtomicU64::new(0),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.inner.namespace
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
            What::All => ("all", ""),
        };
        invocation.key(self.stream()).key(self.sequence());
        invocation.arg(MAX_MESSAGES).arg(kind).arg(cache).arg(target).arg(&self.inner.origin);
        self.inner.sent.fetch_add(1, Ordering::Relaxed);
    }
}

impl Message {
    /// Reads a message; `None` where it is none of ours.
    pub(crate) fn read(fields: &HashMap<String, String>) -> Option<Self> {
        let target = || fields.get("t").cloned();
        let subject = match fields.get("k")?.as_str() {
            "key" => Subject::Key(target()?),
            "soft" => Subject::Soft(target()?),
            "pattern" => Subject::Pattern(target()?),
            "all" => Subject::All,
            _ => return None,
        };
        Some(Self {
            sequence: fields.get("s")?.parse().ok()?,
            cache: fields.get("c")?.clone(),
            subject,
            origin: fields.get("o")?.clone(),
        })
    }
}
