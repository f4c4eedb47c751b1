use strata_report::{Alert, Severity};

use super::view::{View, alert};

/// Invalidations have not reached L2, or so many waited that whole caches were emptied.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    let waiting = view.nodes.iter().filter(|node| node.l2.queued_invalidations > 0);
    waiting
        .map(|node| Alert {
            node: node.node.clone(),
            why: "L2 is not trusted until they have been replayed, and if the node dies first they are lost with it.".to_owned(),
            what_to_do: "Do not restart this node before Redis is back.".to_owned(),
            ..alert(
                "invalidations_wait",
                Severity::Critical,
                format!("{} invalidations wait on node {} for Redis to come back.", node.l2.queued_invalidations, node.node),
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
