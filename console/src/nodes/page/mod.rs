//! The page of nodes: which are asked for, how each is, and where nodes differ that should not.

mod comparison;
mod condition;
mod disagreements;
mod nodes_page;
mod query;

pub(crate) use comparison::node_cache;
pub use condition::{NodeCondition, NodeStatus};
pub(crate) use disagreements::disagreements;
pub use nodes_page::{NODES_AT_ONCE, NodeGroup, NodesPage};
pub use query::NodesQuery;
