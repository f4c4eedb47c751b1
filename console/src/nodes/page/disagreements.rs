//! Where nodes differ that should not: what they say, grouped by value.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use strata_report::{CacheReport, Disagreement, NodeReport, NodeSays, SaidValue, Settings};

use crate::nodes::elsewhere::FleetTick;

/// So many nodes are told one by one.
const MOST_TOLD: usize = 32;

/// So many nodes of a value are named.
const MOST_NAMED: usize = 8;

/// What should be the same and is not: versions, caches and settings among the nodes of one program,
/// which `fleet` tells of nodes elsewhere; the bus and the breaker among all.
pub(crate) fn disagreements(
    reports: &[&NodeReport],
    fleet: Option<&FleetTick>,
) -> Vec<Disagreement> {
    let programs = by_program(reports, fleet);
    let of_each = |found: fn(&[&NodeReport]) -> Vec<Disagreement>| {
        let found = programs.iter().flat_map(move |(app, nodes)| {
            let of = |found| Disagreement { app: (*app).to_owned(), ..found };
            found(nodes).into_iter().map(of)
        });
        found.collect::<Vec<_>>()
    };
    let mut found = of_each(in_versions);
    found.extend(in_state(reports));
    found.extend(of_each(in_caches));
    found
}

/// The nodes by their programs; those that name none are taken for one.
fn by_program<'a>(
    reports: &[&'a NodeReport],
    fleet: Option<&'a FleetTick>,
) -> BTreeMap<&'a str, Vec<&'a NodeReport>> {
    let mut programs: BTreeMap<&str, Vec<&NodeReport>> = BTreeMap::new();
    for report in reports {
        let presence = fleet.and_then(|fleet| fleet.presence(&report.node));
        programs.entry(presence.map_or("", |at| at.app.as_str())).or_default().push(report);
    }
    programs
}

fn in_versions(reports: &[&NodeReport]) -> Vec<Disagreement> {
    let version = |node: &&NodeReport| node.version.clone();
    let found = disagreement(reports, ("version", ""), |node| Some(&node.version), version);
    found.into_iter().collect()
}

fn in_state(reports: &[&NodeReport]) -> Vec<Disagreement> {
    let connected = |node: &NodeReport| node.bus.configured.then_some(node.bus.connected);
    let heard =
        |node: &&NodeReport| if node.bus.connected { "heard" } else { "not heard" }.to_owned();
    let bus = disagreement(reports, ("bus", ""), connected, heard);
    let open = |node: &NodeReport| node.l2.configured.then_some(node.l2.breaker_open);
    let state =
        |node: &&NodeReport| if node.l2.breaker_open { "open" } else { "closed" }.to_owned();
    let breaker = disagreement(reports, ("breaker", ""), open, state);
    bus.into_iter().chain(breaker).collect()
}

fn in_caches(reports: &[&NodeReport]) -> Vec<Disagreement> {
    let mut found = Vec::new();
    for name in cache_names(reports) {
        let present = |node: &NodeReport| Some(cache(node, name).is_some());
        let has = |node: &&NodeReport| {
            if cache(node, name).is_some() { "has it" } else { "has it not" }.to_owned()
        };
        found.extend(disagreement(reports, ("cache", name), present, has));
        let settings = |node: &&NodeReport| cache(node, name).map(in_words).unwrap_or_default();
        found.extend(disagreement(
            reports,
            ("settings", name),
            |node| settings_of(node, name),
            settings,
        ));
    }
    found
}

fn cache_names<'a>(reports: &[&'a NodeReport]) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for cache in reports.iter().flat_map(|node| &node.caches) {
        if !names.contains(&cache.cache.as_str()) {
            names.push(&cache.cache);
        }
    }
    names
}

fn cache<'a>(node: &'a NodeReport, name: &str) -> Option<&'a CacheReport> {
    node.caches.iter().find(|cache| cache.cache == name)
}

/// `compared` is what is compared, `None` where a node says nothing; `said` puts it into words.
fn disagreement<'a, V: PartialEq>(
    reports: &[&'a NodeReport],
    (about, cache): (&str, &str),
    compared: impl Fn(&'a NodeReport) -> Option<V>,
    said: impl Fn(&&'a NodeReport) -> String,
) -> Option<Disagreement> {
    // There are a few values at most, however many nodes.
    let mut groups: Vec<(V, Vec<&NodeReport>)> = Vec::new();
    let mut n_nodes = 0;
    for report in reports {
        let Some(value) = compared(report) else { continue };
        n_nodes += 1;
        match groups.iter_mut().find(|(known, _)| *known == value) {
            Some((_, nodes)) => nodes.push(report),
            None => groups.push((value, vec![report])),
        }
    }
    if groups.len() < 2 {
        return None;
    }
    let told = |node: &&'a NodeReport| NodeSays { node: node.node.clone(), says: said(node) };
    let says = if n_nodes <= MOST_TOLD {
        reports.iter().filter(|node| compared(node).is_some()).map(told).collect()
    } else {
        groups.sort_by_key(|(_, nodes)| nodes.len());
        groups.iter().flat_map(|(_, nodes)| nodes).take(MOST_TOLD).map(told).collect()
    };
    groups.sort_by_key(|(_, nodes)| Reverse(nodes.len()));
    let values = groups.iter().map(|(_, nodes)| SaidValue {
        says: said(&nodes[0]),
        count: nodes.len() as u64,
        nodes: nodes.iter().take(MOST_NAMED).map(|node| node.node.clone()).collect(),
    });
    let (about, cache) = (about.to_owned(), cache.to_owned());
    let values = values.collect();
    Some(Disagreement { about, cache, says, values, ..Disagreement::default() })
}

type Compared<'a> = (&'a Settings, Option<u64>, Option<u64>);

fn settings_of<'a>(node: &'a NodeReport, name: &str) -> Option<Compared<'a>> {
    let cache = cache(node, name)?;
    Some((&cache.settings, cache.l1.entries_max, cache.l1.weight_max_bytes))
}

fn in_words(cache: &CacheReport) -> String {
    let bounds = (cache.l1.entries_max, cache.l1.weight_max_bytes);
    // Shown only where they differ, so their names in the code will do.
    format!("{:?}, L1 bounds (entries, bytes): {bounds:?}", cache.settings)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use strata_report::{BusReport, L2Report, NodePresence};

    use super::*;

    fn node(id: &str) -> NodeReport {
        NodeReport {
            node: id.to_owned(),
            version: "1".to_owned(),
            started_at_ms: 0,
            at_ms: 0,
            bus: BusReport { configured: true, connected: true, ..BusReport::default() },
            l2: L2Report::default(),
            tasks: Vec::new(),
            caches: vec![CacheReport { cache: "users".to_owned(), ..CacheReport::default() }],
            ..NodeReport::default()
        }
    }

    fn found(reports: &[NodeReport]) -> Vec<Disagreement> {
        disagreements(&reports.iter().collect::<Vec<_>>(), None)
    }

    fn about(reports: &[NodeReport]) -> Vec<String> {
        found(reports).into_iter().map(|found| found.about).collect()
    }

    #[test]
    fn nodes_that_are_the_same_agree() {
        assert!(about(&[]).is_empty());
        assert!(about(&[node("1"), node("2")]).is_empty());
    }

    #[test]
    fn another_version_setting_or_state_is_a_disagreement() {
        let mut other = node("2");
        other.version = "2".to_owned();
        other.bus.connected = false;
        other.caches[0].settings.jitter = 0.5;
        assert_eq!(about(&[node("1"), other]), ["version", "bus", "settings"]);
        let mut without = node("3");
        without.caches.clear();
        let found = found(&[node("1"), without]);
        assert_eq!(
            (found[0].about.as_str(), found[0].says[1].says.as_str()),
            ("cache", "has it not")
        );
    }

    #[test]
    fn of_a_thousand_nodes_each_value_is_told_once_with_how_many_say_it() {
        let mut nodes: Vec<_> = (0..1_000).map(|n| node(&format!("pod-{n:04}"))).collect();
        nodes[7].version = "0".to_owned();
        nodes[9].version = "0".to_owned();
        let found = found(&nodes).remove(0);
        let counts: Vec<_> = found.values.iter().map(|said| (&*said.says, said.count)).collect();
        assert_eq!(counts, [("1", 998), ("0", 2)]);
        let expected = "998 nodes say 1; 2 nodes say 0 (pod-0007, pod-0009)";
        assert_eq!(found.summary(), expected);
        assert_eq!((found.says.len(), &*found.says[0].node), (32, "pod-0007"), "rare ones first");
    }

    #[test]
    fn two_programs_of_one_namespace_may_differ_and_the_nodes_of_one_may_not() {
        let of = |id: &str, app: &str| {
            let (node, app) = (id.to_owned(), app.to_owned());
            Arc::new(NodePresence { node, app, ..NodePresence::default() })
        };
        let presences = vec![of("a-1", "api"), of("a-2", "api"), of("j-1", "jobs"), of("j-2", "")];
        let fleet = FleetTick { presences, ..FleetTick::default() };
        let mut nodes = ["a-1", "a-2", "j-1", "j-2"].map(node);
        nodes[2].version = "7".to_owned();
        nodes[2].caches[0].settings.jitter = 0.5;
        nodes[3].version = "8".to_owned();
        nodes[3].caches.clear();
        let found = |nodes: &[NodeReport]| {
            let found = disagreements(&nodes.iter().collect::<Vec<_>>(), Some(&fleet));
            found.into_iter().map(|found| (found.app, found.about)).collect::<Vec<_>>()
        };
        assert_eq!(found(&nodes), []);
        nodes[1].version = "2".to_owned();
        nodes[1].caches.clear();
        let said = |about: &str| ("api".to_owned(), about.to_owned());
        assert_eq!(found(&nodes), [said("version"), said("cache")]);
        nodes[0].bus.connected = false;
        assert_eq!(found(&nodes)[1], (String::new(), "bus".to_owned()), "among all");
    }
}
