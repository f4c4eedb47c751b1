//! The messages of the bus.

use std::collections::HashMap;

use redis::ScriptInvocation;

use crate::connection::Bus;

/// How many messages the stream keeps; fewer if they are large. If a node does not read for longer,
/// it empties the L1 of the caches whose messages it missed.
pub(crate) const MAX_MESSAGES: usize = 10_000;

/// The subject of a message to be sent.
pub(crate) enum SubjectRef<'a> {
    Key(&'a str),
    Soft(&'a str),
    Pattern(&'a str),
    Tag(&'a str),
    All,
}

/// A received message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) sequence: u64,
    pub(crate) cache: String,
    pub(crate) subject: Subject,
    pub(crate) origin: String,
    /// The schemas whose entries were removed with it. `None` if the sender does not know them.
    removed: Option<Vec<u16>>,
}

/// The subject of a received message.
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
    /// Whether this node sent the message, and so has already acted on it.
    pub(crate) fn is_own(&self, message: &Message) -> bool {
        message.origin == self.origin()
    }

    /// Appends a message to the keys and arguments of a script that announces.
    pub(crate) fn message(
        &self,
        invocation: &mut ScriptInvocation<'_>,
        cache: &str,
        what: SubjectRef<'_>,
    ) {
        let (kind, target) = match what {
            SubjectRef::Key(key) => ("key", key),
            SubjectRef::Soft(key) => ("soft", key),
            SubjectRef::Pattern(pattern) => ("pattern", pattern),
            SubjectRef::Tag(tag) => ("tag", tag),
            SubjectRef::All => ("all", ""),
        };
        invocation.key(self.stream()).key(self.sequence()).key(self.last());
        invocation.arg(MAX_MESSAGES).arg(kind).arg(cache).arg(target).arg(self.origin());
        self.sends(1);
    }
}

impl Message {
    /// The number and the cache of a message that cannot be read.
    pub(crate) fn about(fields: &HashMap<Vec<u8>, Vec<u8>>) -> Option<(u64, &str)> {
        let field = |name: &str| str::from_utf8(fields.get(name.as_bytes())?).ok();
        Some((field("s")?.parse().ok()?, field("c")?))
    }

    /// Whether the L2 entry of this schema was removed with it, as far as the message concerns L2.
    pub(crate) fn removed(&self, schema: u16) -> bool {
        let removed = self.removed.as_ref();
        schema == 0
            || matches!(self.subject, Subject::Tag(_))
            || removed.is_some_and(|removed| removed.contains(&schema))
    }

    /// Reads a message. Returns `None` if it is not one of Strata's.
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
