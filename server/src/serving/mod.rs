//! Connections: accepted, bounded in all and for each peer, timed, and drained at the end.

mod accept;
mod body;
mod connection;
mod descriptors;
mod first_head;
mod limits;
mod peers;
mod placed;
mod reserve;
mod stream;

pub(crate) use accept::Serving;
pub(crate) use body::BodyTimeout;
pub use limits::ServingLimits;
pub(crate) use peers::{Full, PeerLimit, PeerPermit};
pub(crate) use placed::Placement;
