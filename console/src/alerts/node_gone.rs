use strata_report::{Alert, Severity};

use super::view::{View, alert};

/// A node that was heard is silent.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    let gone = view.known_nodes.iter().filter(|id| view.nodes.iter().all(|node| node.node != **id));
    gone.map(|id| Alert {
        node: id.clone(),
        why: "Nobody knows what its L1 holds, and its numbers are missing from every sum."
            .to_owned(),
        what_to_do: "See whether it runs, and whether it reaches Redis.".to_owned(),
        ..alert("node_gone", Severity::Critical, format!("Node {id} is no longer heard."))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;

    #[test]
    fn a_node_that_was_heard_once_and_is_silent_is_found() {
        let mut sound = Sound::new();
        assert_eq!(sound.found_by(lint), []);
        sound.known_nodes.push("2".to_owned());
        assert_eq!(sound.found_by(lint)[0].node, "2");
    }
}
