use std::sync::Arc;

use serde_json::Value;
use strata_report::{EntryLook, KeyLook, L2Look, SourceLook};

use crate::console::Console;
use crate::nodes::Answer;

/// All that a console asks of the source behind caches: the truth, past every cache.
pub trait SourceReader: Send + Sync + 'static {
    /// Whether it stands behind this cache.
    fn knows(&self, cache: &str) -> bool;

    /// One key in the source, without reading or filling any cache. Says itself where the source
    /// does not answer; an error is for a text that is no key.
    fn look<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, SourceLook>;

    /// Reads one key as the service does, so that a cache which has it not, or has it marked as
    /// stale, loads it. Counts as one read.
    fn read<'a>(&'a self, cache: &'a str, key: &'a str) -> Answer<'a, ()>;
}

impl Console {
    pub(crate) fn source(&self, cache: &str) -> Option<&Arc<dyn SourceReader>> {
        self.inner.sources.iter().find(|source| source.knows(cache))
    }
}

/// Marks the copies whose value is another than the source's.
pub(super) fn mark_differences(look: &mut KeyLook) {
    let source = match &look.source {
        Some(SourceLook::Value { value }) => match serde_json::from_str::<Value>(value) {
            Ok(value) => Some(value),
            Err(_) => return,
        },
        Some(SourceLook::Absent) => None,
        Some(SourceLook::Failed { .. } | SourceLook::Hidden) | None => return,
    };
    for copy in &mut look.l1 {
        copy.differs = copy.entry.as_ref().and_then(|entry| differs(entry, source.as_ref()));
    }
    if let Some(L2Look::Entry(entry)) = &look.l2 {
        look.l2_differs = differs(entry, source.as_ref());
    }
}

/// `None` where the copy cannot be read.
fn differs(entry: &EntryLook, source: Option<&Value>) -> Option<bool> {
    let copy: Option<Value> = entry.value.as_deref().map(serde_json::from_str).transpose().ok()?;
    Some(copy.as_ref() != source)
}

#[cfg(test)]
mod tests {
    use strata_report::L1Look;

    use super::*;

    fn entry(value: Option<&str>) -> EntryLook {
        let value = value.map(str::to_owned);
        EntryLook {
            value,
            served_stale: false,
            value_hidden: false,
            fresh: true,
            age_ms: 0,
            expires_in_ms: None,
            version: None,
            tags: Vec::new(),
            bytes: None,
        }
    }

    fn look(source: SourceLook) -> KeyLook {
        let node = |entry| L1Look { node: "1".to_owned(), entry, differs: None, unknown: None };
        let values = [Some("{ \"a\": 1 }"), Some("{\"a\":2}"), None];
        let l1 = values.map(|value| node(Some(entry(value)))).into_iter().chain([node(None)]);
        let l2 = Some(L2Look::Entry(entry(Some("{\"a\":1}"))));
        let mut look = KeyLook { l1: l1.collect(), l2, source: Some(source), ..KeyLook::default() };
        mark_differences(&mut look);
        look
    }

    fn marks(look: &KeyLook) -> Vec<Option<bool>> {
        look.l1.iter().map(|copy| copy.differs).chain([look.l2_differs]).collect()
    }

    #[test]
    fn copies_that_say_something_else_than_the_source_are_marked() {
        let found = look(SourceLook::Value { value: "{\"a\":1}".to_owned() });
        let expected = [Some(false), Some(true), Some(true), None, Some(false)];
        assert_eq!(marks(&found), expected);
        let absent = look(SourceLook::Absent);
        assert_eq!(marks(&absent), [Some(true), Some(true), Some(false), None, Some(true)]);
    }

    #[test]
    fn nothing_is_marked_while_the_source_does_not_answer() {
        let failed = look(SourceLook::Failed { why: "open the database".to_owned() });
        assert_eq!(marks(&failed), [None; 5]);
    }
}
