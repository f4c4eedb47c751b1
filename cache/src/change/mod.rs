//! Writes and invalidations of every scope, from this node and from others.

mod from_bus;
mod guards;
mod key;
mod reclaim;
mod scopes;
mod write;

pub(crate) use guards::NamedKeys;
