//! What a node and its caches say about themselves at one instant. Counters only grow while a node
//! lives.

mod cache;
mod evictions;
mod groups;
mod hot_keys;
mod merging;
mod node;
mod outcomes;
mod saved;
mod tasks;
mod what_if;
mod write_behind;

pub use cache::{
    CacheReport, Gets, InvalidationCounts, L1Report, Level, Loads, Settings, ShownValues,
    TagsReport,
};
pub use evictions::{Ages, Cause, Evictions};
pub use groups::{GroupReport, Groups};
pub use hot_keys::{HotKey, HotKeys};
pub use node::{BusReport, L2Error, L2Report, NodeId, NodeReport, ServerKind, may_evict_data};
pub use outcomes::{Outcome, Outcomes};
pub use saved::Saved;
pub use tasks::{TaskReport, TaskState};
pub use what_if::{WhatIf, WhatIfPoint};
pub use write_behind::{WriteBehindKind, WriteBehindReport};
