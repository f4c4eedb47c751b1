//! L2: one cache's entries in Redis, shared by all nodes: their names, form, leases and removal.
//! Steps that must be atomic are Lua scripts.

mod batches;
mod envelope;
mod eviction_policy;
mod key_names;
mod keyspace;
mod leases;
mod removal;
mod replay;
mod scripts;
mod tag_folding;
mod tags;
mod walk;

pub(crate) use batches::AT_ONCE;
pub(crate) use envelope::{Envelope, HEADER, MAX_ENTRY_TAGS, MAX_KEY_BYTES, MAX_TAG_BYTES};
pub(crate) use eviction_policy::EvictionPolicy;
pub(crate) use keyspace::{Commit, EncodedEntry, Keyspace, L2Content};
pub(crate) use leases::{HeldLease, Lease, LeaseWaits, RefreshLease};
pub use removal::Progress;
pub(crate) use walk::SCAN_COUNT;
pub use walk::{L2Head, L2Match};

pub(crate) use scripts::NAMED as SCRIPTS;
