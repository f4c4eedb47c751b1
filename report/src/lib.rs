//! What a cache says about itself: plain numbers that cross a wire.
//!
//! Every type here is a value. Counters only grow while a node lives and are never reset by
//! reading; what happened between two readings is the difference of two counters.
//! The browser, Prometheus and the HTTP interface all read these same types.

#![warn(missing_docs)]

mod console;
mod fleet;
mod histograms;
mod history;
mod invalidation;
mod keys;
mod nodes;
#[cfg(feature = "openapi")]
mod openapi;
mod reports;
mod visible;

pub use console::{
    Activity, ActivityFilter, Alert, AlertSummary, AuditEntry, AuditHome, AuditPage, CacheEvents,
    CacheFrame, DeadLetterAction, DeadLetterJob, DeadLetterPage, DeadLetterQuery, DeadLetterResult,
    DeadLetterRow, Event, EventKind, Frame, NodeFrame, NodeSums, Role, Session, Severity, Snapshot,
    TrafficState, What, Window,
};
pub use fleet::{
    Ask, AskCounts, AskKind, EventRequest, FLEET_PROTOCOL, FleetPolicy, FleetReport, FleetSums,
    NodeCard, NodeEvents, NodePresence, PresenceState, Reply, ReplyState, Want,
};
pub use histograms::{BOUNDS_NS, Extremes, Histogram, LogHistogram, SparseHistogram};
pub use history::{
    HeatColumn, History, Marker, Point, Quantiles, Range, RangeError, RangeHistory, Step,
};
pub use invalidation::{
    Delivery, Effect, Job, JobError, JobKind, JobState, NodeCount, Origin, Plan, RefreshState,
    Refreshed, Reload, Scope, ScopeCounts,
};
pub use keys::{
    CacheDetails, EntryLook, Expiries, KeyLook, KeyPage, KeyQuery, KeyRow, L1Look, L1Survey,
    L2Look, LevelChoice, SourceLook,
};
pub use nodes::{
    Agreement, CacheKey, CacheKeys, CacheName, CacheValue, DeadLetterMove, DeadLetterRequest,
    Disagreement, KeyMatch, L1Keys, L1Query, NodeAnswer, NodeCache, NodeError, NodeL2, NodeRequest,
    NodeRow, NodeSays, NodesReport, RedisReport, RedisServer, RedisShare, RedisState, SaidValue,
    SlowCommand,
};
pub use reports::{
    Ages, BusReport, CacheReport, Cause, Evictions, Gets, GroupReport, Groups, HotKey, HotKeys,
    InvalidationCounts, L1Report, L2Error, L2Report, Level, Loads, NodeId, NodeReport, Outcome,
    Outcomes, Saved, ServerKind, Settings, ShownValues, TagsReport, TaskReport, TaskState, WhatIf,
    WhatIfPoint, WriteBehindKind, WriteBehindReport, may_evict_data,
};
pub use visible::visible;
