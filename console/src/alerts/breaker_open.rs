use strata_report::{Alert, Severity};

use super::view::{View, alert};

/// A node goes without L2.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    let open = view.nodes.iter().filter(|node| node.l2.configured && node.l2.breaker_open);
    open.map(|node| Alert {
        node: node.node.clone(),
        why: "Reads that L1 cannot answer go straight to the source, and invalidations wait."
            .to_owned(),
        what_to_do:
            "See whether Redis runs and answers from this machine; the node tries again by itself."
                .to_owned(),
        ..alert(
            "breaker_open",
            Severity::Critical,
            format!("Node {} cannot reach Redis, so it goes without L2.", node.node),
        )
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;

    #[test]
    fn an_open_breaker_is_critical_and_a_node_without_redis_is_not() {
        let mut sound = Sound::new();
        sound.nodes[0].l2.breaker_open = true;
        let found = sound.found_by(lint);
        assert_eq!((found[0].node.as_str(), found[0].severity), ("1", Severity::Critical));
        sound.nodes[0].l2.configured = false;
        assert_eq!(sound.found_by(lint), []);
    }
}
