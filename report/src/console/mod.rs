//! What the screens of a console show besides numbers.

mod access;
mod activity;
mod alerts;
mod dead_letters;
mod frame;
mod node_sums;

pub use access::{AuditEntry, AuditHome, AuditPage, Role, Session};
pub use activity::{Activity, ActivityFilter, CacheEvents, Event, EventKind, What};
pub use alerts::{Alert, AlertSummary, Severity};
pub use dead_letters::{
    DeadLetterAction, DeadLetterJob, DeadLetterPage, DeadLetterQuery, DeadLetterResult,
    DeadLetterRow,
};
pub use frame::{CacheFrame, Frame, NodeFrame, Snapshot, TrafficState, Window};
pub use node_sums::NodeSums;
