//! The names of entries by schema, so that two versions of a program have separate entries.
//!
//! Schema 0 uses `{namespace}:cache:key`, schema n `{namespace}:cache@n:key`. No cache name can
//! contain `@`. Redis lists the schemas that may have entries, see
//! [`ANNOUNCE`](crate::connection::ANNOUNCE), and a key is removed under each of them.

use redis::Pipeline;

use crate::pattern::{Pattern, escape};

/// The names of a cache's entries in L2.
pub(crate) struct KeyNames {
    pub(crate) schema: u16,
    /// The common prefix of the keys of all schemas.
    stem: String,
    /// The prefix of this schema's keys.
    prefix: String,
    /// The key of the list of schemas.
    pub(crate) schemas: String,
}

impl KeyNames {
    pub(crate) fn new(stem: String, schemas: String, schema: u16) -> Self {
        let prefix = prefix(&stem, schema);
        Self { schema, stem, prefix, schemas }
    }

    /// The name of this schema's entry of a key.
    pub(crate) fn entry(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    /// The name of a key's entry under another schema.
    pub(crate) fn entry_of(&self, schema: u16, key: &str) -> String {
        format!("{}{key}", prefix(&self.stem, schema))
    }

    /// The key of an entry, whatever its schema.
    pub(crate) fn key_of<'a>(&self, entry: &'a [u8]) -> Option<&'a str> {
        let rest = std::str::from_utf8(entry).ok()?.strip_prefix(&self.stem)?;
        if let Some(key) = rest.strip_prefix(':') {
            return Some(key);
        }
        let (schema, key) = rest.strip_prefix('@')?.split_once(':')?;
        schema.parse::<u16>().ok().map(|_| key)
    }

    /// Records that this schema may have entries from now on. Called with every command that takes
    /// a lease, before it does so. Schema 0 needs no record.
    pub(crate) fn register(&self, pipe: &mut Pipeline, until_ms: u64) {
        if self.schema > 0 {
            pipe.cmd("ZADD").arg(&self.schemas).arg("GT").arg(until_ms).arg(self.schema).ignore();
        }
    }

    pub(crate) fn glob(&self, walked: &WalkScope, pattern: Option<&Pattern>) -> String {
        let stem = escape(&self.stem);
        match walked {
            WalkScope::Plain => format!("{stem}:{}", pattern.map_or("*", Pattern::as_str)),
            WalkScope::Own => format!("{}*", escape(&self.prefix)),
            WalkScope::Every(_) => format!("{stem}[:@]*"),
        }
    }
}

fn prefix(stem: &str, schema: u16) -> String {
    if schema == 0 { format!("{stem}:") } else { format!("{stem}@{schema}:") }
}

/// Which schemas' keys a walk covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum WalkScope {
    /// Only schema 0 has entries, so Redis itself matches the pattern.
    Plain,
    /// Only this schema's keys.
    Own,
    /// The keys of all schemas. Besides 0, these schemas may have entries.
    Every(Vec<u16>),
}

impl WalkScope {
    pub(crate) fn of(names: &KeyNames, mut others: Vec<u16>) -> Self {
        if names.schema > 0 && !others.contains(&names.schema) {
            others.push(names.schema);
        }
        if others.is_empty() { Self::Plain } else { Self::Every(others) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(schema: u16) -> KeyNames {
        KeyNames::new("{test}:users".to_owned(), "{test}!schemas:users".to_owned(), schema)
    }

    #[test]
    fn schema_0_keeps_the_keys_that_it_always_had() {
        assert_eq!(names(0).entry("a:b"), "{test}:users:a:b");
        assert_eq!(names(7).entry("a:b"), "{test}:users@7:a:b");
        assert_eq!(names(7).entry_of(0, "1"), "{test}:users:1");
    }

    #[test]
    fn an_entry_tells_its_key_whatever_its_schema_and_no_other_caches() {
        for schema in [0, 1, u16::MAX] {
            let entry = names(schema).entry("a:b@c");
            assert_eq!(names(3).key_of(entry.as_bytes()), Some("a:b@c"));
        }
        for other in ["{test}:users2:1", "{test}:users@x:1", "{test}:users@2", "{test}:user:1"] {
            assert_eq!(names(0).key_of(other.as_bytes()), None, "{other}");
        }
    }
}
