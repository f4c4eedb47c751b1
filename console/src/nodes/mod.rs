//! The nodes that a console sees, in this process or elsewhere. Public face: [`NodeClient`],
//! [`SharedReport`], [`AttachGuard`], [`RemoteNodes`], [`Pace`]; inside the crate [`CacheNode`], a node that has a given cache.

mod asked_by;
mod attached;
mod cache_nodes;
mod client;
mod comparison;
mod condition;
mod disagreements;
mod fan_out;
mod fleet;
mod fleet_tick;
mod gathering;
mod known;
mod list;
mod local;
mod pace;
mod page;
mod query;
mod remote;
mod reporting;
mod requests;
mod shared_report;

pub(crate) use asked_by::on_behalf_of;
pub use attached::AttachGuard;
pub(crate) use attached::{AttachedNodes, AttachedReport, remove_name_conflicts};
pub(crate) use cache_nodes::{CacheNode, check_key, first_with_l2};
pub use client::{Answer, L2Step, NodeClient, SharedRedis};
pub(crate) use comparison::node_cache;
pub use condition::{NodeCondition, NodeStatus};
pub(crate) use disagreements::disagreements;
pub use fan_out::FanOut;
pub use fleet::RemoteNodes;
pub(crate) use fleet_tick::FleetTick;
pub(crate) use gathering::{Gathered, gather};
pub(crate) use list::NodeList;
pub use pace::Pace;
pub use page::{NODES_AT_ONCE, NodeGroup, NodesPage};
pub use query::NodesQuery;
pub(crate) use reporting::{merged_caches, merged_write_behinds, report_of};
pub(crate) use requests::l1_query;
pub use shared_report::SharedReport;
