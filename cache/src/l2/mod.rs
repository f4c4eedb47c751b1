//! L2: Redis, shared by all nodes.
//!
//! `link` is a node's way to Redis with timeout and breaker, `pending` what waits while that is
//! open, `recovery` how it closes; `keyspace` is one
//! cache's keys in it, `schemas` how they are named, `leases` and `lease_waits` who fills them,
//! `removal` how they go; `scripts` are the steps that must be atomic;
//! `envelope` is an entry's form.

mod answer;
mod asking;
mod batches;
mod census;
mod envelope;
mod erase;
mod errors;
mod failed;
mod greeting;
#[cfg(feature = "holds")]
#[doc(hidden)]
pub mod holds;
mod journal;
mod key_scan;
mod keyspace;
mod lease_waits;
mod leases;
mod link;
mod operator;
mod pending;
mod query;
mod recovery;
mod removal;
mod schemas;
mod scripts;
mod server;
mod step;
mod tag_counts;
mod timeouts;

pub(crate) use answer::{Answer, Verdict};
pub(crate) use batches::AT_ONCE;
pub(crate) use census::LONGEST as LONGEST_CENSUS;
pub use census::{L2Census, L2Count};
pub(crate) use envelope::{Envelope, HEADER, MAX_ENTRY_TAGS, MAX_KEY_BYTES, MAX_TAG_BYTES};
pub(crate) use failed::{Away, Failed};
pub(crate) use greeting::{Hello, must_be_no_replica, must_take_invalidations, run_id};
pub use journal::Journal;
pub use key_scan::L2Head;
pub(crate) use keyspace::{Commit, Found, Keyspace, Lease, Written};
pub(crate) use lease_waits::HeldLease;
pub(crate) use leases::RefreshLease;
pub(crate) use link::{Link, in_time};
pub(crate) use pending::Pending;
pub(crate) use query::{Answers, Query, Reply};
pub use removal::L2Match;
pub(crate) use scripts::NAMED as SCRIPTS;
pub(crate) use step::Step;
