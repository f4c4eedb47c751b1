use strata_report::{Alert, NodeReport, Severity};

use super::advice::{advice, recent, said};
use super::view::{View, alert};

/// Redis answers a node, and refuses what it asks.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    let reached = view.nodes.iter().filter(|node| node.l2.configured && !node.l2.breaker_open);
    reached.filter_map(told).collect()
}

fn told(node: &NodeReport) -> Option<Alert> {
    let error = recent(&node.l2, node.at_ms)?;
    let severity = match error.code.as_str() {
        // One slow or lost answer is no refusal; many open the breaker.
        "TIMEOUT" | "CONNECTION" => return None,
        // No invalidation goes through either, or nothing at all does.
        "NOAUTH" | "WRONGPASS" | "NOPERM" | "READONLY" | "MISCONF" | "NOREPLICAS" => {
            Severity::Critical
        }
        _ => Severity::Warning,
    };
    let (why, what_to_do) = advice(&error.code);
    let what = format!("Redis refuses what node {} asks: {}.", node.node, said(error, node.at_ms));
    Some(Alert {
        node: node.node.clone(),
        why: why.to_owned(),
        what_to_do: what_to_do.to_owned(),
        ..alert("redis_refuses", severity, what)
    })
}

#[cfg(test)]
mod tests {
    use strata_report::L2Error;

    use super::super::view::tests::Sound;
    use super::*;

    fn refused(code: &str) -> Sound {
        let mut sound = Sound::new();
        sound.nodes[0].l2.last_error = Some(L2Error {
            code: code.to_owned(),
            message: "refused".to_owned(),
            since_ms: 50_000,
            at_ms: 59_000,
            times: 9,
        });
        sound
    }

    #[test]
    fn each_kind_of_refusal_has_its_advice() {
        for (code, severity, advised) in [
            ("NOPERM", Severity::Critical, "ACL"),
            ("READONLY", Severity::Critical, "master"),
            ("MISCONF", Severity::Critical, "disk"),
            ("OOM", Severity::Warning, "memory"),
            ("MOVED", Severity::Warning, "cluster"),
        ] {
            let found = refused(code).found_by(lint).remove(0);
            assert_eq!(found.severity, severity, "{code}");
            assert!(found.what_to_do.contains(advised), "{found:?}");
            assert!(found.what.contains(code), "{found:?}");
        }
    }

    #[test]
    fn a_slow_answer_an_old_error_and_an_open_breaker_are_no_refusal() {
        assert_eq!(refused("TIMEOUT").found_by(lint), []);
        let mut sound = refused("OOM");
        sound.nodes[0].l2.breaker_open = true;
        assert_eq!(sound.found_by(lint), [], "another lint tells of that");
        let mut sound = refused("OOM");
        sound.nodes[0].at_ms = 120_000;
        assert_eq!(sound.found_by(lint), []);
    }
}
