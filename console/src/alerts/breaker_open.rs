use strata_report::{Alert, NodeReport, Severity};

use super::advice::{advice, recent, said};
use super::view::{View, alert};

/// A node goes without L2.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    let open = view.nodes.iter().filter(|node| node.l2.configured && node.l2.breaker_open);
    open.map(told).collect()
}

fn told(node: &NodeReport) -> Alert {
    let error = recent(&node.l2, node.at_ms);
    let (means, what_to_do) = error.map_or(
        (
            "",
            "See whether Redis runs and answers from this machine; the node tries again by itself.",
        ),
        |error| advice(&error.code),
    );
    let because = error.map_or_else(String::new, |error| format!(": {}", said(error, node.at_ms)));
    let why = "Reads that L1 cannot answer go straight to the source, and invalidations wait.";
    Alert {
        node: node.node.clone(),
        why: format!("{means} {why}").trim_start().to_owned(),
        what_to_do: what_to_do.to_owned(),
        ..alert(
            "breaker_open",
            Severity::Critical,
            format!("Node {} does without Redis, and so without L2{because}.", node.node),
        )
    }
}

#[cfg(test)]
mod tests {
    use strata_report::L2Error;

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

    #[test]
    fn an_open_breaker_says_what_redis_said_and_what_to_do() {
        let mut sound = Sound::new();
        sound.nodes[0].l2.breaker_open = true;
        for (code, advised) in [("WRONGPASS", "password"), ("CONNECTION", "maxclients")] {
            sound.nodes[0].l2.last_error = Some(L2Error {
                code: code.to_owned(),
                message: "no way in".to_owned(),
                since_ms: 50_000,
                at_ms: 59_000,
                times: 4,
            });
            let found = sound.found_by(lint).remove(0);
            let said = format!("no way in ({code}, 4 times within 10 s)");
            assert!(found.what.contains(&said), "{found:?}");
            assert!(found.what_to_do.contains(advised), "{found:?}");
        }
    }
}
