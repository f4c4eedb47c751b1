//! Connections: accepted, bounded in all and for each peer, timed, drained at the end.

mod accept;
mod connection;
mod descriptors;
mod first_head;
mod limits;
mod reserve;
mod stream;

pub(crate) use accept::Serving;
pub use limits::ServingLimits;
