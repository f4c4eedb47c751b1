//! Parts that the tests share.

mod fake_node;
#[path = "../../../../cache/tests/behaviour/support/log.rs"]
mod log;
mod script;
mod wire_nodes;

pub(crate) use fake_node::FakeNode;
pub(crate) use log::Log;
pub(crate) use script::cache_report;
pub(crate) use wire_nodes::{Manner, WireNode, WireNodes};

use std::sync::Arc;

use strata_console::{Access, AccessSettings, Actor, Console, NodeClient};
use tokio_util::sync::CancellationToken;

pub(crate) fn everybody_may_act() -> Access {
    Access::new(AccessSettings { loopback: true, ..AccessSettings::default() })
}

pub(crate) fn operator() -> Actor {
    Actor::local()
}

/// A console over these nodes, on which everybody may act, and which runs as long as the test.
pub(crate) fn console<N: NodeClient>(nodes: &[Arc<N>]) -> Console {
    let faces = nodes.iter().map(|node| Arc::clone(node) as Arc<dyn NodeClient>).collect();
    Console::start(faces, everybody_may_act(), CancellationToken::new())
}

/// Three nodes on one bus; each holds `42`, loaded a minute ago.
pub(crate) fn three_nodes() -> [Arc<FakeNode>; 3] {
    let nodes = ["1", "2", "3"].map(FakeNode::new);
    nodes[0].script().peers = nodes[1..].to_vec();
    for node in &nodes {
        node.script().l1.insert("42".to_owned(), 60_000);
    }
    nodes
}
