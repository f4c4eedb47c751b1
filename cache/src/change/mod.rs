//! Writes and invalidations: of a key, a tag, a pattern or all, from this node and from others.
//! Each changes L2 and the bus in one step, then the fence and L1 in one step.

mod from_bus;
mod guards;
mod key;
mod reclaim;
mod scopes;
mod write;

pub(crate) use guards::NamedKeys;
