//! Nodes elsewhere that are lost, too few, unreadable or two under one id, and a console that
//! cannot hear them.

use std::sync::Arc;

use strata_report::{Alert, NodePresence, PresenceState, Severity};

use super::view::{View, alert, duration};
use crate::nodes::FleetTick;

/// The console cannot reach Redis. Nobody knows of the nodes then: none of them is lost.
pub(super) fn fleet_unheard(view: &View<'_>) -> Vec<Alert> {
    let Some(fleet) = view.fleet else { return Vec::new() };
    let Some(unheard_ms) = fleet.unheard_ms() else { return Vec::new() };
    let redis = fleet.redis.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    let what = if fleet.sums.was_heard {
        format!("I cannot reach Redis{redis}; last heard {} ago.", duration(unheard_ms))
    } else {
        format!("I cannot reach Redis{redis}; nothing was heard for {}.", duration(unheard_ms))
    };
    let why = match fleet.here.is_empty() {
        true => {
            "Nodes are heard through Redis alone, so all numbers here are of that time; the nodes may be well."
        }
        false => {
            "Other nodes are heard through Redis alone, so the numbers here are of this process alone; the others may be well."
        }
    };
    let because = fleet.because.as_ref().map(|because| format!("{because}. "));
    let because = because.unwrap_or_default();
    vec![Alert {
        why: because + why,
        what_to_do: "See whether Redis runs, and whether this program may connect to it."
            .to_owned(),
        ..alert("fleet_unheard", Severity::Critical, what)
    }]
}

/// Nodes at this moment; nothing while the console itself hears nothing.
fn heard<'a>(view: &View<'a>) -> impl Iterator<Item = &'a NodePresence> + use<'a> {
    let fleet = view.fleet.filter(|fleet| fleet.hears_others());
    fleet.into_iter().flat_map(|fleet: &FleetTick| &fleet.presences).map(|node| &**node)
}

/// A node has not beaten for too long.
pub(super) fn node_lost(view: &View<'_>) -> Vec<Alert> {
    let lost = heard(view).filter(|node| node.state == PresenceState::Lost);
    let sums = view.fleet.map(|fleet| fleet.sums.of_how_many()).unwrap_or_default();
    lost.map(|node| {
        let silent = duration(node.heard_ms_ago);
        let what = format!("Node {} is lost: last heard {silent} ago.", node.node);
        Alert {
            node: node.node.clone(),
            why: format!(
                "Nobody knows what its L1 holds. Its numbers stand still and are left out: sums are {sums}."
            ),
            what_to_do: "See whether it runs, and whether it reaches Redis.".to_owned(),
            ..alert("node_gone", Severity::Critical, what)
        }
    })
    .collect()
}

/// Fewer nodes of a program are heard than there should be.
pub(super) fn nodes_missing(view: &View<'_>) -> Vec<Alert> {
    let Some(fleet) = view.fleet.filter(|fleet| fleet.hears_others()) else { return Vec::new() };
    let up = |app: &str| {
        let is_of = |node: &NodePresence| node.app == app || fleet.namespace == app;
        let of_app = |node: &&Arc<NodePresence>| is_of(node) && node.state.counts();
        fleet.presences.iter().filter(of_app).count() as u64
    };
    let missing = view.expected.iter().filter(|expected| up(&expected.app) < expected.nodes);
    missing
        .map(|expected| {
            let (app, of) = (&expected.app, expected.nodes);
            let what = format!("{} of {of} nodes of {app} are heard.", up(app));
            Alert {
                why: "There should be more, so the others carry their load, or a deployment has failed.".to_owned(),
                what_to_do: "Start the others, or change how many are expected (--expect).".to_owned(),
                ..alert("nodes_missing", Severity::Critical, what)
            }
        })
        .collect()
}

/// What a node says of itself cannot be read.
pub(super) fn node_unreadable(view: &View<'_>) -> Vec<Alert> {
    let unreadable = heard(view).filter_map(|node| Some((node, node.unreadable.as_ref()?)));
    unreadable
        .map(|(node, why)| {
            let what = format!("Strata failed to read what node {} says of itself: {why}.", node.node);
            Alert {
                node: node.node.clone(),
                why: "Its numbers stay as they were last read.".to_owned(),
                what_to_do: "If it runs a later version, start this dashboard in that version too; otherwise see what else writes to its keys in Redis.".to_owned(),
                ..alert("node_unreadable", Severity::Warning, what)
            }
        })
        .collect()
}

/// Two processes speak under one id, in turns.
pub(super) fn two_processes(view: &View<'_>) -> Vec<Alert> {
    let two = heard(view).filter(|node| node.is_two_processes);
    two.map(|node| Alert {
        node: node.node.clone(),
        why: "Each overwrites what the other says, so the numbers jump between them, and what is asked reaches either.".to_owned(),
        what_to_do: "Give each process an id of its own, or leave the id out.".to_owned(),
        ..alert("two_processes", Severity::Critical, format!("Two processes call themselves {}.", node.node))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use strata_report::FleetSums;

    use super::super::view::ExpectedNodes;
    use super::super::view::tests::Sound;
    use super::*;

    fn node(id: &str, state: PresenceState) -> NodePresence {
        let (node, app) = (id.to_owned(), "shop-api".to_owned());
        NodePresence { node, state, app, heard_ms_ago: 14_000, ..NodePresence::default() }
    }

    fn with(presences: Vec<NodePresence>) -> Sound {
        let sums = FleetSums { counted: 2, of: 3, was_heard: true, ..FleetSums::default() };
        let mut sound = Sound::new();
        let presences = presences.into_iter().map(Arc::new).collect();
        sound.fleet = Some(FleetTick { presences, sums, ..FleetTick::default() });
        sound
    }

    #[test]
    fn a_lost_node_says_how_long_and_what_the_sums_are_of() {
        let sound = with(vec![node("a", PresenceState::Late), node("b", PresenceState::Lost)]);
        let found = sound.found_by(node_lost);
        assert_eq!((found.len(), &*found[0].node), (1, "b"));
        assert!(found[0].what.contains("14 s") && found[0].why.contains("of 2 of 3 nodes"));
        let left = with(vec![node("a", PresenceState::Left)]);
        assert_eq!(left.found_by(node_lost), []);
    }

    #[test]
    fn a_console_that_hears_nothing_says_that_and_calls_no_node_lost() {
        let mut sound = with(vec![node("b", PresenceState::Lost)]);
        sound.expected.push(ExpectedNodes { app: "shop-api".to_owned(), nodes: 3 });
        assert_eq!(sound.found_by(fleet_unheard), []);
        sound.fleet.as_mut().unwrap().sums.unheard_ms = Some(12_000);
        let found = sound.found_by(fleet_unheard);
        assert_eq!(found[0].what, "I cannot reach Redis; last heard 12 s ago.");
        assert_eq!((sound.found_by(node_lost), sound.found_by(nodes_missing)), (vec![], vec![]));
    }

    #[test]
    fn fewer_nodes_than_expected_are_told() {
        let mut sound = with(vec![node("a", PresenceState::Up), node("b", PresenceState::Lost)]);
        sound.expected.push(ExpectedNodes { app: "shop-api".to_owned(), nodes: 2 });
        sound.expected.push(ExpectedNodes { app: "other".to_owned(), nodes: 0 });
        let found = sound.found_by(nodes_missing);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].what, "1 of 2 nodes of shop-api are heard.");
    }

    #[test]
    fn two_processes_under_one_id_and_what_cannot_be_read_are_told() {
        let mut one = node("a", PresenceState::Up);
        let sound = with(vec![one.clone()]);
        assert_eq!(
            (sound.found_by(two_processes), sound.found_by(node_unreadable)),
            (vec![], vec![])
        );
        one.is_two_processes = true;
        one.unreadable = Some("read fleet protocol 7".to_owned());
        let sound = with(vec![one]);
        assert_eq!(sound.found_by(two_processes)[0].what, "Two processes call themselves a.");
        assert!(sound.found_by(node_unreadable)[0].what.contains("protocol 7"));
    }
}
