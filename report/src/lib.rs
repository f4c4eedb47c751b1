//! What a cache says about itself: plain numbers that cross a wire.
//!
//! Every type here is a value. Counters only grow while a node lives and are never reset by
//! reading; what happened between two readings is the difference of two counters.
//! The browser, Prometheus and the HTTP interface all read these same types.

#![warn(missing_docs)]

mod console;
mod evictions;
mod frame;
mod histogram;
mod invalidations;
mod outcomes;
mod report;

pub use console::{AuditEntry, Role, Session, Snapshot};
pub use evictions::{Cause, Evictions};
pub use frame::{CacheFrame, Frame, History, NodeFrame, Point, RedisState, TrafficState, Window};
pub use histogram::{BOUNDS_NS, Histogram};
pub use invalidations::{
    Effect, EntryLook, Job, JobState, KeyLook, L1Look, L2Look, NodeCount, Origin, Plan, Scope,
    ScopeCounts,
};
pub use outcomes::{Outcome, Outcomes};
pub use report::{
    BusReport, CacheReport, Gets, InvalidationCounts, L1Report, L2Report, Level, Loads, NodeId,
    NodeReport, Settings,
};
