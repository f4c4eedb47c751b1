use std::collections::HashMap;

use strata_report::{KeyLook, L1Look, L2Look, SourceLook};

use super::source::mark_differences;
use crate::access::Actor;
use crate::console::Console;
use crate::error::ConsoleError;
use crate::nodes::{CacheNode, check_key, first_with_l2, gather, on_behalf_of};

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
        let nodes = self.nodes_with(cache)?;
        check_key(cache, key)?;
        let _turn = self.inner.queries.acquire_for_key(actor).await?;
        on_behalf_of(&actor.name, self.look_at(actor, (cache, key), &nodes)).await
    }

    async fn look_at(
        &self,
        actor: &Actor,
        (cache, key): (&str, &str),
        nodes: &[CacheNode],
    ) -> Result<KeyLook, ConsoleError> {
        let mut look = KeyLook {
            cache: cache.to_owned(),
            key: key.to_owned(),
            no_refresh: self.why_no_refresh(cache, nodes),
            no_values: why_no_values(nodes).filter(|_| actor.rights.values),
            ..KeyLook::default()
        };
        let looking = gather(nodes, |node| async move { node.look_l1(cache, key).await });
        let gathered = looking.await?;
        look.partial = gathered.partial();
        let speaking = gathered.without_silent(nodes);
        for missing in gathered.missing {
            let unknown = Some(missing.error.to_string());
            look.l1.push(L1Look { node: missing.node, entry: None, differs: None, unknown });
        }
        for (node, entry) in gathered.answers {
            let node = node.id().to_owned();
            look.l1.push(L1Look { node, entry, differs: None, unknown: None });
        }
        let at: HashMap<&str, usize> =
            nodes.iter().enumerate().map(|(at, held)| (held.node.id(), at)).collect();
        look.l1.sort_by_key(|copy| at.get(&*copy.node).copied());
        // One that is silent would be waited for.
        for CacheNode { node, .. } in &speaking {
            match node.group_of(cache, key).await {
                Err(error) if error.is_of_the_node() => {}
                group => {
                    look.group = group?;
                    if look.group.is_some() || node.presence().is_some() {
                        break;
                    }
                }
            }
        }
        if let Some(node) = first_with_l2(&speaking).or(first_with_l2(nodes)) {
            look.l2 = node.look_l2(cache, key).await?;
        }
        if let Some(source) = self.source(cache) {
            look.source = Some(source.look(cache, key).await?);
        }
        mark_differences(&mut look);
        self.watch_key((cache, key), &speaking);
        self.add_events(&mut look, nodes).await?;
        self.cover(&mut look, actor, nodes).await?;
        Ok(look)
    }

    /// Hides the values that who asks may not read, and those that their cache shows to nobody, or
    /// not whole.
    async fn cover(
        &self,
        look: &mut KeyLook,
        actor: &Actor,
        nodes: &[CacheNode],
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
                entry.value = visible_value(actor, nodes, (&cache, value)).await?;
                entry.value_hidden = entry.value.is_none();
            }
        }
        if let Some(SourceLook::Value { value }) = look.source.take_if(|source| has_value(source)) {
            let shown = visible_value(actor, nodes, (&cache, value)).await?;
            look.source =
                Some(shown.map_or(SourceLook::Hidden, |value| SourceLook::Value { value }));
        }
        Ok(())
    }

    /// Has nodes elsewhere tell what happens to the key, for as long as somebody may be looking.
    fn watch_key(&self, key: (&str, &str), nodes: &[CacheNode]) {
        let Some(fleet) = self.inner.nodes.elsewhere() else { return };
        let tell = |held: &&CacheNode| {
            held.node.presence().is_some_and(|at| at.state.counts() && at.policy.looks)
        };
        let nodes = nodes.iter().filter(tell).map(|held| held.node.id().to_owned());
        fleet.watch_key(key, &nodes.collect::<Vec<_>>());
    }

    async fn add_events(
        &self,
        look: &mut KeyLook,
        nodes: &[CacheNode],
    ) -> Result<(), ConsoleError> {
        let (cache, key) = (&*look.cache, &*look.key);
        let asking = gather(nodes, |node| async move { node.events_of(cache, key).await });
        let asked = asking.await?;
        // One that is silent now may have told something while somebody looked.
        let silent = asked.missing.iter().filter_map(|missing| self.inner.nodes.get(&missing.node));
        let told = silent.flat_map(|node| node.events_after(cache, 0).events);
        look.events.extend(told.filter(|event| event.key.as_deref() == Some(key)));
        for (_, found) in asked.answers {
            look.events.extend(found.events);
            // What one node forgot may be missing, so the latest of the beginnings counts.
            look.events_since_ms = look.events_since_ms.max(found.since_ms);
        }
        look.events.sort_by_key(|event| event.at_ms);
        Ok(())
    }
}

/// Why nobody may see values in L1, where no node that answers allows it.
fn why_no_values(nodes: &[CacheNode]) -> Option<String> {
    let allows = |held: &CacheNode| held.node.presence().is_none_or(|at| at.policy.values);
    let because = "No node of this cache lets dashboards see values: Fleet::values() in the service \
                   allows it, with a STRATA_FLEET_KEY.";
    (!nodes.iter().any(allows)).then(|| because.to_owned())
}

fn has_value(source: &SourceLook) -> bool {
    matches!(source, SourceLook::Value { .. })
}

/// A value as who asks may see it; `None` where it is hidden.
pub(crate) async fn visible_value(
    actor: &Actor,
    nodes: &[CacheNode],
    (cache, value): (&str, String),
) -> Result<Option<String>, ConsoleError> {
    let mut value = Some(value).filter(|_| actor.rights.values);
    for CacheNode { node, .. } in nodes {
        let Some(whole) = value.take() else { break };
        value = node.show_value(cache, whole).await?;
    }
    Ok(value)
}
