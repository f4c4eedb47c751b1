//! The nodes that a console sees, in this process or elsewhere. Public face: [`NodeClient`],
//! [`SharedReport`], [`AttachGuard`], [`RemoteNodes`], [`Pace`]; inside the crate [`CacheNode`], a node that has a given cache.

mod asks;
mod attached;
mod cache_nodes;
mod client;
mod elsewhere;
mod list;
mod local;
mod page;
mod reporting;
mod shared_report;

pub use asks::FanOut;
pub(crate) use asks::{Gathered, gather, l1_query, on_behalf_of};
pub use attached::AttachGuard;
pub(crate) use attached::{AttachedNodes, AttachedReport, remove_name_conflicts};
pub(crate) use cache_nodes::{CacheNode, check_key, first_with_l2};
pub use client::{Answer, L2Step, NodeClient, SharedRedis};
pub(crate) use elsewhere::FleetTick;
pub use elsewhere::{Pace, RemoteNodes};
pub(crate) use list::NodeList;
pub use page::{NODES_AT_ONCE, NodeCondition, NodeGroup, NodeStatus, NodesPage, NodesQuery};
pub(crate) use page::{disagreements, node_cache};
pub(crate) use reporting::{merged_caches, merged_write_behinds, report_of};
pub use shared_report::SharedReport;
