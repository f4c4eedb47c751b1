//! Which server it is, by address, Sentinel or cluster, and how it is connected and logged in to.

mod address;
mod address_url;
mod asking;
mod cluster;
mod connector;
mod login;
mod renewal;
mod sentinel;
#[cfg(feature = "tls")]
mod tls;
mod wrong_protocol;

pub use address::RedisAddress;
pub(in crate::connection) use address::Server;
pub(in crate::connection) use asking::Asking;
pub(crate) use connector::Connector;
pub use login::Credentials;
