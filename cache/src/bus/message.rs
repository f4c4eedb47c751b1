//! The messages of the bus.

use std::collections::HashMap;

use redis::ScriptInvocation;

use crate::connection::Bus;
use crate::pattern::Pattern;
use crate::target::Target;

/// How many messages the stream keeps; fewer if they are large. If a node does not read for longer,
/// it empties the L1 of the caches whose messages it missed.
pub(crate) const MAX_MESSAGES: usize = 10_000;

/// A received message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) sequence: u64,
    pub(crate) cache: String,
    pub(crate) target: Target,
    pub(crate) kind: MessageKind,
    pub(crate) origin: String,
    /// The schemas whose entries were removed with it. `None` if the sender does not know them.
    removed: Option<Vec<u16>>,
}

/// What became of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    Invalidated,
    /// It may be served stale while it is refreshed.
    MarkedStale,
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
        target: &Target,
    ) {
        self.append(invocation, cache, [target.scope().as_str(), target.text()]);
    }

    /// As [`message`](Self::message), for a key that is marked as stale.
    pub(crate) fn stale_message(
        &self,
        invocation: &mut ScriptInvocation<'_>,
        cache: &str,
        key: &str,
    ) {
        self.append(invocation, cache, ["soft", key]);
    }

    fn append(&self, invocation: &mut ScriptInvocation<'_>, cache: &str, what: [&str; 2]) {
        let [kind, text] = what;
        invocation.key(self.stream()).key(self.sequence()).key(self.last());
        invocation.arg(MAX_MESSAGES).arg(kind).arg(cache).arg(text).arg(self.origin());
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
            || matches!(self.target, Target::Tag(_))
            || removed.is_some_and(|removed| removed.contains(&schema))
    }

    /// Reads a message. Returns `None` if it is not one of Strata's.
    pub(crate) fn read(fields: &HashMap<Vec<u8>, Vec<u8>>) -> Option<Self> {
        let field = |name: &str| str::from_utf8(fields.get(name.as_bytes())?).ok();
        let (word, text) = (field("k")?, || field("t").map(str::to_owned));
        let target = match word {
            "key" | "soft" => Target::Key(text()?),
            // A pattern that this version cannot read may match anything.
            "pattern" => Pattern::parse(&text()?).map_or(Target::All, Target::Pattern),
            "tag" => Target::Tag(text()?),
            "all" => Target::All,
            _ => return None,
        };
        let kind = if word == "soft" { MessageKind::MarkedStale } else { MessageKind::Invalidated };
        Some(Self {
            sequence: field("s")?.parse().ok()?,
            cache: field("c")?.to_owned(),
            target,
            kind,
            origin: field("o")?.to_owned(),
            removed: field("v")
                .map(|schemas| schemas.split(' ').filter_map(|one| one.parse().ok()).collect()),
        })
    }
}
