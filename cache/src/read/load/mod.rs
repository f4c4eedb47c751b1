//! One load: a reader leads the flight, takes the lease, asks the source and fills both levels.
//! It runs in a task of its own, so it continues if its readers go away.

mod deadlock;
mod flight;
mod key_fill;
mod leader;
mod lease_renewal;
mod leases;
mod load_limit;
pub(crate) mod nesting;
mod queueing;

pub(crate) use deadlock::WaitEdge;
pub(crate) use flight::Flight;
pub(crate) use key_fill::KeyFill;
pub(crate) use lease_renewal::Leases;
pub(crate) use load_limit::LoadLimit;
pub(crate) use nesting::to_its_end;
