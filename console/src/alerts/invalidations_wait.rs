use strata_report::{Alert, Severity};

use super::view::{View, alert};

/// Invalidations have not reached L2, or so many waited that whole caches were emptied.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    let waiting = view.nodes.iter().filter(|node| node.l2.queued_invalidations > 0);
    waiting
        .map(|node| Alert {
            node: node.node.clone(),
            why: "Their caches do not read L2 on this node until they have been sent, other nodes may read what they are about, and if the node dies first they are lost with it.".to_owned(),
            what_to_do: "Do not restart this node before Redis takes them. The nodes page says what keeps it from that.".to_owned(),
            ..alert(
                "invalidations_wait",
                Severity::Critical,
                format!("{} invalidations wait on node {} for Redis to take them.", node.l2.queued_invalidations, node.node),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;

    #[test]
    fn waiting_invalidations_are_critical() {
        let mut sound = Sound::new();
        sound.nodes[0].l2.queued_invalidations = 17;
        assert!(sound.found_by(lint)[0].what.starts_with("17 invalidations"));
        sound.nodes[0].l2.queued_invalidations = 0;
        sound.nodes[0].l2.replayed_invalidations = 17;
        assert_eq!(sound.found_by(lint), []);
    }
}
