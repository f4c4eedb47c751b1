//! What a console shows of more nodes than fit on a screen. Time is paused throughout.

use std::sync::Arc;

use strata_console::{Console, NODES_AT_ONCE, NodeCondition, NodesQuery};

use crate::support::{FakeNode, console, operator};

const NODES: usize = NODES_AT_ONCE * 2 + 20;

/// Nodes of two versions, of which one is silent and one skips L2.
fn fleet() -> Vec<Arc<FakeNode>> {
    let node = |n: usize| {
        let node = FakeNode::new(&format!("pod-{n:03}"));
        node.reports(|report| {
            report.version = if n < 100 { "2" } else { "1" }.to_owned();
            report.l2.breaker_open = n == 77;
        });
        node
    };
    (0..NODES).map(node).collect()
}

fn names(console: &Console, query: &NodesQuery) -> Vec<String> {
    let page = console.nodes_page(query);
    page.report.nodes.into_iter().map(|row| row.node).collect()
}

#[tokio::test(start_paused = true)]
async fn a_large_fleet_is_shown_a_page_at_a_time_and_the_worst_first() {
    let console = console(&fleet());
    let first = console.nodes_page(&NodesQuery::default());
    assert_eq!((first.n_nodes, first.n_found, first.n_pages), (NODES, NODES, 3));
    assert_eq!(first.report.nodes.len(), NODES_AT_ONCE);
    assert_eq!(first.report.nodes[0].node, "pod-077", "it skips L2");
    assert_eq!(first.report.nodes[1].node, "pod-100", "version 1 comes before version 2");
    let last = NodesQuery { page: 99, ..NodesQuery::default() };
    assert_eq!(names(&console, &last).last().unwrap(), "pod-099");
    assert_eq!(console.nodes_page(&last).page, 2, "one behind the last is the last");
}

#[tokio::test(start_paused = true)]
async fn nodes_are_found_by_name_condition_and_version() {
    let console = console(&fleet());
    let name = NodesQuery { name: "pod-11".to_owned(), ..NodesQuery::default() };
    assert_eq!(names(&console, &name).len(), 10);
    let condition = Some(NodeCondition::Trouble);
    let trouble = NodesQuery { condition, ..NodesQuery::default() };
    assert_eq!(names(&console, &trouble), ["pod-077"]);
    let version = NodesQuery { version: Some("1".to_owned()), ..NodesQuery::default() };
    assert_eq!(console.nodes_page(&version).n_found, 20);
    let both = NodesQuery { condition, ..version };
    assert!(names(&console, &both).is_empty());
    let groups = console.nodes_page(&NodesQuery::default()).groups;
    let counts: Vec<_> = groups.iter().map(|group| (&*group.version, group.counts)).collect();
    assert_eq!(counts, [("2", [0, 1, 0, 0, 99]), ("1", [0, 0, 0, 0, 20])], "the worst comes first");
}

#[tokio::test(start_paused = true)]
async fn a_frame_of_a_large_fleet_carries_sums_and_the_nodes_in_trouble() {
    let nodes = fleet();
    let console = console(&nodes);
    let mut ticks = console.subscribe();
    ticks.changed().await.unwrap();
    let frame = console.frame();
    assert_eq!((frame.node_sums.nodes, frame.node_sums.breaker_open), (NODES as u64, 1));
    let told: Vec<_> = frame.nodes.iter().map(|node| &*node.node).collect();
    assert_eq!(told, ["pod-077"]);
    nodes[5].reports(|report| report.bus.gaps += 1);
    ticks.changed().await.unwrap();
    let told: Vec<_> = console.frame().nodes.iter().map(|node| node.node.clone()).collect();
    assert_eq!(told, ["pod-077", "pod-005"], "it has changed");
}

#[tokio::test(start_paused = true)]
async fn what_a_large_fleet_disagrees_about_is_told_by_value() {
    let console = console(&fleet());
    let found = console.nodes_report().disagreements;
    let version = found.iter().find(|found| found.about == "version").unwrap();
    assert_eq!(version.summary(), "100 nodes say 2; 20 nodes say 1");
    let alerts = console.alerts();
    let alert = alerts.iter().find(|alert| alert.lint == "nodes_disagree").unwrap();
    assert!(alert.what.contains("100 nodes say 2; 20 nodes say 1"), "{}", alert.what);
}

#[tokio::test(start_paused = true)]
async fn nodes_that_name_no_version_are_asked_for_as_such() {
    let nodes = fleet();
    nodes[3].reports(|report| report.version.clear());
    let console = console(&nodes);
    let query = NodesQuery { version: Some(String::new()), ..NodesQuery::default() };
    assert_eq!(names(&console, &query), ["pod-003"]);
}

#[tokio::test(start_paused = true)]
async fn rows_are_read_a_part_at_a_time_and_no_node_is_passed_over_when_another_gets_worse() {
    let nodes = fleet();
    let console = console(&nodes);
    let (mut ids, mut after, mut parts) = (Vec::new(), None, 0);
    loop {
        let part = console.node_rows(&NodesQuery::default(), (after.as_deref(), 50));
        assert_eq!(part.total, NODES as u64);
        ids.extend(part.nodes.into_iter().map(|row| row.node));
        parts += 1;
        nodes[100].reports(|report| report.l2.breaker_open = true);
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..NODES).map(|n| format!("pod-{n:03}")).collect();
    assert_eq!((ids, parts), (expected, 3));
    let whole = console.node_rows(&NodesQuery::default(), (None, NODES));
    assert_eq!((whole.nodes.len(), whole.next), (NODES, None), "there is nothing after the last");
}

/// How many copies a comparison asks for.
fn n_looks(nodes: &[Arc<FakeNode>]) -> u64 {
    nodes.iter().map(|node| node.script().n_looks).sum()
}

#[tokio::test(start_paused = true)]
async fn to_compare_copies_of_a_thousand_nodes_costs_no_more_than_of_sixteen() {
    for n in [16, 120, 1_000] {
        let nodes: Vec<_> = (0..n).map(|n| FakeNode::new(&format!("pod-{n:04}"))).collect();
        for node in &nodes {
            node.script().l1.extend((0..30).map(|key| (format!("key-{key:02}"), 7)));
        }
        let console = console(&nodes);
        let agreement = console.agreement(&operator(), "users").await.unwrap();
        assert_eq!((agreement.nodes, agreement.of_nodes, agreement.compared), (16, n, 20));
        assert_eq!(n_looks(&nodes), 16 * 20, "of {n} nodes");
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_nodes_others_are_compared_each_time() {
    let nodes = fleet();
    for node in &nodes {
        node.script().l1.insert("42".to_owned(), 7);
    }
    let console = console(&nodes);
    let mut ticks = console.subscribe();
    for _ in 0..NODES {
        console.agreement(&operator(), "users").await.unwrap();
        ticks.changed().await.unwrap();
    }
    assert!(nodes.iter().all(|node| node.script().n_looks > 0), "each has had its turn");
}
