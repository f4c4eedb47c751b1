//! Nodes that are gone, silent or unlike the others.

use std::collections::HashSet;

use strata_report::{Alert, L2Error, NodeReport, Severity};

use super::redis_errors::{advice, beginning, recent};
use super::view::{View, alert, duration};

use crate::nodes::disagreements;

/// A node that was heard is silent.
pub(super) fn node_gone(view: &View<'_>) -> Vec<Alert> {
    let heard: HashSet<&str> = view.nodes.iter().map(|node| &*node.node).collect();
    let gone = view.known_nodes.iter().filter(|id| !heard.contains(&***id));
    gone.map(|id| Alert {
        node: id.clone(),
        why: "Nobody knows what its L1 holds, and its numbers are missing from every sum."
            .to_owned(),
        what_to_do: "See whether it runs, and whether it reaches Redis.".to_owned(),
        ..alert("node_gone", Severity::Critical, format!("Node {id} is no longer heard."))
    })
    .collect()
}

/// Nodes run different versions, or the same cache with different settings.
pub(super) fn nodes_disagree(view: &View<'_>) -> Vec<Alert> {
    // The bus and the breaker have lints of their own.
    let lasting = |about: &str| matches!(about, "version" | "settings" | "cache");
    let found =
        disagreements(view.nodes, view.fleet).into_iter().filter(|found| lasting(&found.about));
    found
        .map(|found| {
            let of = if found.cache.is_empty() { String::new() } else { format!(" of {}", found.cache) };
            let app = if found.app.is_empty() { String::new() } else { format!(" of {}", found.app) };
            let what = format!("Nodes{app} differ in the {}{of} ({}).", found.about, found.summary());
            Alert {
                cache: found.cache,
                why: "The same key may live for different times, or be read differently, depending on which node answers.".to_owned(),
                what_to_do: "Finish the deployment, or find out which node was left behind.".to_owned(),
                ..alert("nodes_disagree", Severity::Warning, what)
            }
        })
        .collect()
}

/// So long after the last answer a bus is silent: several heartbeats.
const SILENT_AFTER_MS: u64 = 5_000;

/// A node that has just started, or lost its connection, gets so long to come back.
const LOST_AFTER_MS: u64 = 2_000;

/// A node does not hear of invalidations, or nothing proves to it that they can be written.
pub(super) fn bus_silent(view: &View<'_>) -> Vec<Alert> {
    let nodes = view.nodes.iter().filter(|node| node.bus.configured);
    nodes.filter_map(|node| Some(silence_alert(node, silent_ms(node)?))).collect()
}

fn silent_ms(node: &NodeReport) -> Option<u64> {
    if let Some(since_ms) = node.bus.silent_since_ms {
        let silent_ms = node.at_ms.saturating_sub(since_ms);
        return (silent_ms >= LOST_AFTER_MS).then_some(silent_ms);
    }
    let heard_at_ms = node.bus.heard_at_ms.unwrap_or(node.started_at_ms);
    let silent_ms = node.at_ms.saturating_sub(heard_at_ms);
    let patience_ms = if node.bus.connected { SILENT_AFTER_MS } else { LOST_AFTER_MS };
    (silent_ms >= patience_ms).then_some(silent_ms)
}

fn silence_alert(node: &NodeReport, silent_ms: u64) -> Alert {
    // The last error may be another matter.
    let names = |error: &&L2Error| {
        node.bus.silent_because.as_ref().is_some_and(|because| because.contains(&error.code))
    };
    let what_to_do = recent(&node.l2, node.at_ms).filter(names).map_or(
        "See whether Redis answers; the node catches up, or empties its L1, by itself.",
        |error| advice(&error.code).1,
    );
    let because = node.bus.silent_because.as_deref().map(beginning);
    let because = because.map_or_else(String::new, |because| format!(", because {because}"));
    let what = format!(
        "Nothing has proved to node {} for {} that invalidations arrive{because}.",
        node.node,
        duration(silent_ms)
    );
    Alert {
        node: node.node.clone(),
        why: "It may miss invalidations, so its L1 entries count for a few seconds only, L2 is not read, and readers may see older values that long.".to_owned(),
        what_to_do: what_to_do.to_owned(),
        ..alert("bus_silent", Severity::Critical, what)
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;

    #[test]
    fn a_node_that_was_heard_once_and_is_silent_is_found() {
        let mut sound = Sound::new();
        assert_eq!(sound.found_by(node_gone), []);
        sound.known_nodes.push("2".to_owned());
        assert_eq!(sound.found_by(node_gone)[0].node, "2");
    }

    #[test]
    fn two_versions_are_a_warning() {
        let mut sound = Sound::new();
        let mut other = sound.nodes[0].clone();
        other.node = "2".to_owned();
        sound.nodes.push(other);
        assert_eq!(sound.found_by(nodes_disagree), []);
        sound.nodes[1].version = "2".to_owned();
        assert!(sound.found_by(nodes_disagree)[0].what.contains("1: 1; 2: 2"));
    }

    #[test]
    fn a_silent_bus_says_why_and_what_to_do() {
        let mut sound = Sound::new();
        let node = &mut sound.nodes[0];
        node.bus.silent_since_ms = Some(59_000);
        assert_eq!(sound.found_by(bus_silent), [], "it may come back at once");
        let node = &mut sound.nodes[0];
        node.bus.silent_since_ms = Some(40_000);
        node.bus.silent_because = Some("Redis takes no invalidations: MISCONF: no disk".to_owned());
        node.l2.last_error = Some(strata_report::L2Error {
            code: "MISCONF".to_owned(),
            at_ms: 59_000,
            ..strata_report::L2Error::default()
        });
        let found = sound.found_by(bus_silent).remove(0);
        let because = "arrive, because Redis takes no invalidations: MISCONF: no disk.";
        assert!(found.what.contains("for 20 s") && found.what.ends_with(because), "{found:?}");
        assert!(found.what_to_do.contains("disk"), "{found:?}");
        sound.nodes[0].bus.silent_because = Some("the task that hears it is down".to_owned());
        let found = sound.found_by(bus_silent).remove(0);
        assert!(!found.what_to_do.contains("disk"), "another matter: {found:?}");
    }

    #[test]
    fn a_bus_that_is_lost_or_silent_is_critical() {
        let mut sound = Sound::new();
        sound.nodes[0].bus.heard_at_ms = Some(50_000);
        assert!(sound.found_by(bus_silent)[0].what.contains("10 s"));
        sound.nodes[0].bus.heard_at_ms = Some(59_000);
        assert_eq!(sound.found_by(bus_silent), []);
        sound.nodes[0].bus.connected = false;
        assert_eq!(sound.found_by(bus_silent), [], "it may come back at once");
        sound.nodes[0].bus.heard_at_ms = Some(57_000);
        assert_eq!(sound.found_by(bus_silent).len(), 1);
        sound.nodes[0].bus.configured = false;
        assert_eq!(sound.found_by(bus_silent), []);
    }
}
