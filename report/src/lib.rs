//! What a cache says about itself: plain numbers that cross a wire.
//!
//! Every type here is a value. Counters only grow while a node lives and are never reset by
//! reading; what happened between two readings is the difference of two counters.
//! The browser, Prometheus and the HTTP interface all read these same types.

#![warn(missing_docs)]

mod activity;
mod ages;
mod alerts;
mod console;
mod dead_letters;
mod details;
mod evictions;
mod extremes;
mod fleet;
mod frame;
mod groups;
mod histogram;
mod hot_keys;
mod invalidations;
mod keys;
mod log_histogram;
mod nodes;
#[cfg(feature = "openapi")]
mod openapi;
mod outcomes;
mod past;
mod range;
mod report;
mod saved;
mod tasks;
mod visible;
mod what_if;
mod write_behind;

pub use activity::{Activity, ActivityFilter, Event, EventKind, What};
pub use ages::Ages;
pub use alerts::{Alert, AlertSummary, Severity};
pub use console::{AuditEntry, AuditHome, AuditPage, Role, Session, Snapshot};
pub use dead_letters::{
    DeadLetterAction, DeadLetterJob, DeadLetterPage, DeadLetterQuery, DeadLetterResult,
    DeadLetterRow,
};
pub use details::{CacheDetails, Expiries};
pub use evictions::{Cause, Evictions};
pub use extremes::Extremes;
pub use fleet::{
    Ask, AskCounts, AskKind, EventsWanted, FLEET_PROTOCOL, FleetPolicy, FleetReport, NodeCard,
    PresenceState, Reply, ReplyState, Want,
};
pub use frame::{CacheFrame, Frame, History, NodeFrame, Point, RedisState, TrafficState, Window};
pub use groups::{GroupReport, Groups};
pub use histogram::{BOUNDS_NS, Histogram};
pub use hot_keys::{HotKey, HotKeys};
pub use invalidations::{
    Effect, Job, JobError, JobKind, JobState, NodeCount, Origin, Plan, RefreshState, Refreshed,
    Reload, Scope, ScopeCounts,
};
pub use keys::{
    EntryLook, KeyLook, KeyPage, KeyQuery, KeyRow, L1Look, L2Look, LevelChoice, SourceLook,
};
pub use log_histogram::LogHistogram;
pub use nodes::{
    Agreement, Disagreement, NodeCache, NodeL2, NodeRow, NodeSays, NodesReport, RedisReport,
    RedisServer, RedisShare, SlowCommand,
};
pub use outcomes::{Outcome, Outcomes};
pub use past::{HeatColumn, Marker, Past, Quantiles, Step};
pub use range::{Range, RangeError};
pub use report::{
    BusReport, CacheReport, Gets, InvalidationCounts, L1Report, L2Error, L2Report, Level, Loads,
    NodeId, NodeReport, ServerKind, Settings, TagsReport, may_evict_data,
};
pub use saved::Saved;
pub use tasks::{TaskReport, TaskState};
pub use visible::visible;
pub use what_if::{WhatIf, WhatIfPoint};
pub use write_behind::{WriteBehindKind, WriteBehindReport};
