//! L2: Redis, shared by all nodes.
//!
//! `link` is a node's way to Redis with timeout, breaker and recovery queue; `keyspace` is one
//! cache's keys in it; `scripts` are the steps that must be atomic; `envelope` is an entry's form.

mod census;
mod envelope;
mod journal;
mod key_scan;
mod keyspace;
mod link;
mod pending;
mod scripts;
mod server;

pub(crate) use envelope::{Envelope, HEADER, MAGIC};
pub use journal::Journal;
pub use key_scan::L2Head;
pub(crate) use keyspace::{Commit, Found, Keyspace, Lease};
pub(crate) use link::{Away, Link, in_time};
pub(crate) use pending::Pending;
