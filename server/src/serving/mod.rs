//! Connections: accepted, bounded in all and for each peer, timed, drained at the end; and the threads
//! that they run on.

mod accept;
mod connection;
mod descriptors;
mod first_head;
mod limits;
pub(crate) mod low_priority;
mod network;
mod placed;
mod reserve;
mod stream;

pub(crate) use accept::Serving;
pub use limits::ServingLimits;
pub use network::Network;
pub(crate) use placed::Placement;
