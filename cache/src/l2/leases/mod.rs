//! Leases: of all nodes, one loads a key. The others wait for what it stores.

mod lease;
mod steps;
mod waits;

pub(crate) use lease::{HeldLease, Lease, RefreshLease};
pub(crate) use waits::LeaseWaits;
