//! Nodes elsewhere: whether they are heard, where they run, and what they let a console do.

use leptos::prelude::*;
use strata_console::NodeStatus;
use strata_report::{FleetPolicy, NodePresence, NodeRow, NodesReport, PresenceState};

use crate::format;
use crate::screens::page_frame::titled_card;

/// How a node is, as a badge.
pub(super) fn badge(node: &NodeRow) -> impl IntoView + use<> {
    let (words, tone) = state(node);
    view! { <span class=tone>{words}</span> }
}

/// How a node is, in words, and the class of its badge.
fn state(node: &NodeRow) -> (String, &'static str) {
    let heard = |state: &str| {
        let heard_ms_ago = node.presence.as_ref().map_or(0, |presence| presence.heard_ms_ago);
        format!("{state}, last heard {} ago", format::span(heard_ms_ago))
    };
    let is_late = node.presence.as_ref().is_some_and(|at| at.state == PresenceState::Late);
    // What was wrong when it was last heard need not be so now.
    let bad = |words: &str| {
        let words = if is_late { heard(words) } else { words.to_owned() };
        (words, "badge bad")
    };
    match NodeStatus::of(node) {
        NodeStatus::Lost => (heard("lost"), "badge bad"),
        NodeStatus::NoReport => bad("no report"),
        NodeStatus::Unreadable => bad("cannot be read"),
        NodeStatus::TwoProcesses => bad("two processes"),
        NodeStatus::BusSilent => bad("bus silent"),
        NodeStatus::BreakerOpen => bad("skips Redis"),
        NodeStatus::TaskDown => bad("task down"),
        NodeStatus::Late => bad("late"),
        NodeStatus::Starting => ("no report yet".to_owned(), "badge"),
        NodeStatus::Healthy => ("healthy".to_owned(), "badge good"),
    }
}

/// Where the nodes run; nothing where all are of this program.
pub(super) fn card(report: &NodesReport) -> Option<AnyView> {
    report.fleet.as_ref()?;
    let elsewhere = report.nodes.iter().filter_map(|node| node.presence.as_ref());
    let rows = elsewhere.map(row).collect_view();
    Some(titled_card(
        "presence",
        "Where they run",
        "as each node says of itself",
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Table of where nodes run">
                <table class="rows" data-testid="presence">
                    <caption class="unseen">"Nodes: program, version, host, process and what they allow"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"node"</th>
                            <th scope="col">"program"</th>
                            <th scope="col">"version"</th>
                            <th scope="col">"strata"</th>
                            <th scope="col">"host"</th>
                            <th scope="col">"process"</th>
                            <th scope="col" tabindex="-1" title="Random, made at each of its starts.">"run"</th>
                            <th scope="col" class="text" tabindex="-1" title="What the service lets a dashboard do.">"allows"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        },
    ))
}

fn row(node: &NodePresence) -> impl IntoView + use<> {
    view! {
        <tr>
            <th scope="row">{node.node.clone()}</th>
            <td>{node.app.clone()}</td>
            <td>{node.version.clone()}</td>
            <td>{node.strata.clone()}</td>
            <td>{node.host.clone()}</td>
            <td>{(node.pid > 0).then_some(node.pid)}</td>
            <td class="mono">{node.run.clone()}</td>
            <td class="text">{allows(node.policy)}</td>
        </tr>
    }
}

fn allows(policy: FleetPolicy) -> String {
    let rights = [
        (policy.looks, "looks"),
        (policy.values, "values"),
        (policy.refreshes, "loads"),
        (policy.moves_dead_letters, "moves dead letters"),
    ];
    let allowed = rights.into_iter().filter(|(is_allowed, _)| *is_allowed);
    let words: Vec<_> = allowed.map(|(_, word)| word).collect();
    if words.is_empty() { "numbers only".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use strata_report::FleetSums;

    use super::*;

    #[test]
    fn a_lost_node_says_since_when_and_where_it_ran() {
        let presence = NodePresence {
            node: "pod-7".to_owned(),
            state: PresenceState::Lost,
            heard_ms_ago: 14_000,
            host: "rack-3".to_owned(),
            ..NodePresence::default()
        };
        let up = NodePresence { state: PresenceState::Up, ..presence.clone() };
        let row = NodeRow { heard: true, presence: Some(presence), ..NodeRow::default() };
        assert_eq!(state(&row).0, "lost, last heard 14\u{202f}s ago");
        assert_eq!(state(&NodeRow { presence: Some(up), ..row.clone() }).0, "healthy");
        let report = NodesReport { nodes: vec![row], ..NodesReport::default() };
        assert!(card(&report).is_none(), "where all nodes are here there is no such card");
        let report = NodesReport { fleet: Some(FleetSums::default()), ..report };
        let html = Owner::new().with(|| card(&report).unwrap().to_html());
        assert!(html.contains("rack-3") && html.contains("numbers only"), "{html}");
    }

    #[test]
    fn each_right_that_a_node_gives_is_named() {
        let policy = FleetPolicy { looks: true, values: true, ..FleetPolicy::default() };
        assert_eq!(allows(policy), "looks, values");
        let moves = FleetPolicy { moves_dead_letters: true, ..policy };
        assert_eq!(allows(moves), "looks, values, moves dead letters");
    }
}
