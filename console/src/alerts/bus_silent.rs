use strata_report::{Alert, Severity};

use super::view::{View, alert};

/// So long after the last answer a bus is silent: several heartbeats.
const SILENT_AFTER_MS: u64 = 5_000;

/// A node that has just started, or lost its connection, gets so long to come back.
const LOST_AFTER_MS: u64 = 2_000;

/// A node does not hear of invalidations.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    let mut found = Vec::new();
    for node in view.nodes.iter().filter(|node| node.bus.configured) {
        let heard = node.bus.heard_at_ms.unwrap_or(node.started_at_ms);
        let silent_ms = node.at_ms.saturating_sub(heard);
        let patience_ms = if node.bus.connected { SILENT_AFTER_MS } else { LOST_AFTER_MS };
        if silent_ms < patience_ms {
            continue;
        }
        found.push(Alert {
            node: node.node.clone(),
            why: "It does not hear of invalidations, so its L1 entries count for a few seconds only and readers may see older values that long.".to_owned(),
            what_to_do: "See whether Redis answers; the node catches up, or empties its L1, by itself.".to_owned(),
            ..alert(
                "bus_silent",
                Severity::Critical,
                format!("Node {} has heard nothing on the bus for {} s.", node.node, silent_ms / 1_000),
            )
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;

    #[test]
    fn a_bus_that_is_lost_or_silent_is_critical() {
        let mut sound = Sound::new();
        sound.nodes[0].bus.heard_at_ms = Some(50_000);
        assert!(sound.found_by(lint)[0].what.contains("10 s"));
        sound.nodes[0].bus.heard_at_ms = Some(59_000);
        assert_eq!(sound.found_by(lint), []);
        sound.nodes[0].bus.connected = false;
        assert_eq!(sound.found_by(lint), [], "it may come back at once");
        sound.nodes[0].bus.heard_at_ms = Some(57_000);
        assert_eq!(sound.found_by(lint).len(), 1);
        sound.nodes[0].bus.configured = false;
        assert_eq!(sound.found_by(lint), []);
    }
}
