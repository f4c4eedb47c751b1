use std::sync::Arc;

use serde_json::Value;
use strata_report::{EntryLook, KeyLook, L1Look, L2Look, SourceLook};

use crate::keys::{Holder, check_key, first_with_l2};
use crate::{Actor, Console, ConsoleError, SourceFace};

impl Console {
    /// One key in every level and in the source, and what happened to it of late; disturbs no
    /// cache. Asks the source once. Values are hidden from who may not read them.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`], [`ConsoleError::BadKey`], [`ConsoleError::NodeGone`],
    /// [`ConsoleError::Busy`].
    pub async fn look(
        &self,
        actor: &Actor,
        cache: &str,
        key: &str,
    ) -> Result<KeyLook, ConsoleError> {
        let holders = self.holders(cache)?;
        check_key(cache, key)?;
        let _turn = self.inner.looks.at_key(actor).await?;
        let mut look =
            KeyLook { cache: cache.to_owned(), key: key.to_owned(), ..KeyLook::default() };
        for Holder { node, .. } in &holders {
            let entry = node.look_l1(cache, key).await?;
            look.l1.push(L1Look { node: node.id().to_owned(), entry, differs: None });
            if look.group.is_none() {
                look.group = node.group_of(cache, key).await?;
            }
        }
        if let Some(node) = first_with_l2(&holders) {
            look.l2 = node.look_l2(cache, key).await?;
        }
        if let Some(source) = self.source(cache) {
            look.source = Some(source.look(cache, key).await?);
        }
        compare(&mut look);
        self.add_events(&mut look, &holders).await?;
        self.cover(&mut look, actor, &holders).await?;
        Ok(look)
    }

    /// Hides the values that who asks may not read, and those that their cache shows to nobody, or
    /// not whole.
    async fn cover(
        &self,
        look: &mut KeyLook,
        actor: &Actor,
        holders: &[Holder],
    ) -> Result<(), ConsoleError> {
        // All nodes build a cache alike; where they do not, the one that shows least counts.
        let cache = look.cache.clone();
        let l2 = match &mut look.l2 {
            Some(L2Look::Entry(entry)) => Some(entry),
            _ => None,
        };
        let entries = look.l1.iter_mut().filter_map(|copy| copy.entry.as_mut()).chain(l2);
        for entry in entries {
            if let Some(value) = entry.value.take() {
                entry.value = shown(actor, holders, (&cache, value)).await?;
                entry.value_hidden = entry.value.is_none();
            }
        }
        if let Some(SourceLook::Value { value }) = look.source.take_if(|source| has_value(source)) {
            let shown = shown(actor, holders, (&cache, value)).await?;
            look.source =
                Some(shown.map_or(SourceLook::Hidden, |value| SourceLook::Value { value }));
        }
        Ok(())
    }

    pub(crate) fn source(&self, cache: &str) -> Option<&Arc<dyn SourceFace>> {
        self.inner.sources.iter().find(|source| source.knows(cache))
    }

    async fn add_events(&self, look: &mut KeyLook, holders: &[Holder]) -> Result<(), ConsoleError> {
        for Holder { node, .. } in holders {
            let found = node.events_of(&look.cache, &look.key).await?;
            look.events.extend(found.events);
            // What one node forgot may be missing, so the latest of the beginnings counts.
            look.events_since_ms = look.events_since_ms.max(found.since_ms);
        }
        look.events.sort_by_key(|event| event.at_ms);
        Ok(())
    }
}

fn has_value(source: &SourceLook) -> bool {
    matches!(source, SourceLook::Value { .. })
}

/// A value as who asks may see it; `None` where it is hidden.
pub(crate) async fn shown(
    actor: &Actor,
    holders: &[Holder],
    (cache, value): (&str, String),
) -> Result<Option<String>, ConsoleError> {
    let mut value = Some(value).filter(|_| actor.rights.values);
    for Holder { node, .. } in holders {
        let Some(whole) = value.take() else { break };
        value = node.shown(cache, whole).await?;
    }
    Ok(value)
}

/// Marks the copies whose value is another than the source's.
fn compare(look: &mut KeyLook) {
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
        let node = |entry| L1Look { node: "1".to_owned(), entry, differs: None };
        let values = [Some("{ \"a\": 1 }"), Some("{\"a\":2}"), None];
        let l1 = values.map(|value| node(Some(entry(value)))).into_iter().chain([node(None)]);
        let l2 = Some(L2Look::Entry(entry(Some("{\"a\":1}"))));
        let mut look = KeyLook { l1: l1.collect(), l2, source: Some(source), ..KeyLook::default() };
        compare(&mut look);
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
