//! What a cache says about itself: plain numbers that cross a wire.
//!
//! Every type here is a value. Counters only grow while a node lives and are never reset by
//! reading; what happened between two readings is the difference of two counters.
//! The browser, Prometheus and the HTTP interface all read these same types.

#![warn(missing_docs)]

mod ages;
mod console;
mod evictions;
mod frame;
mod groups;
mod histogram;
mod hot_keys;
mod invalidations;
mod log_histogram;
mod outcomes;
mod report;
mod saved;
mod what_if;
mod write_behind;

pub use ages::Ages;
pub use console::{AuditEntry, Role, Session, Snapshot};
pub use evictions::{Cause, Evictions};
pub use frame::{CacheFrame, Frame, History, NodeFrame, Point, RedisState, TrafficState, Window};
pub use groups::{GroupReport, Groups};
pub use histogram::{BOUNDS_NS, Histogram};
pub use hot_keys::{HotKey, HotKeys};
pub use invalidations::{
    Effect, EntryLook, Job, JobState, KeyLook, L1Look, L2Look, NodeCount, Origin, Plan, Scope,
    ScopeCounts,
};
pub use log_histogram::LogHistogram;
pub use outcomes::{Outcome, Outcomes};
pub use report::{
    BusReport, CacheReport, Gets, InvalidationCounts, L1Report, L2Report, Level, Loads, NodeId,
    NodeReport, Settings,
};
pub use saved::Saved;
pub use what_if::{WhatIf, WhatIfPoint};
pub use write_behind::{WriteBehindKind, WriteBehindReport};
