//! L2: the entries of a cache in Redis, shared by all nodes.

mod batches;
mod envelope;
mod eviction_policy;
mod keyspace;
mod lease;
mod lease_waits;
mod leasing;
mod removal;
mod replay;
mod schemas;
mod scripts;
mod tags;
mod walk;

pub(crate) use batches::AT_ONCE;
pub(crate) use envelope::{Envelope, HEADER, MAX_ENTRY_TAGS, MAX_KEY_BYTES, MAX_TAG_BYTES};
pub(crate) use eviction_policy::EvictionPolicy;
pub(crate) use keyspace::{Commit, EncodedEntry, Keyspace, L2Content};
pub(crate) use lease::{HeldLease, Lease, RefreshLease};
pub(crate) use lease_waits::LeaseWaits;
pub use removal::Progress;
pub use walk::{L2Head, L2Match};

pub(crate) use scripts::NAMED as SCRIPTS;
