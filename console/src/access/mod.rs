//! Who may do what, how much of it at a time, and who did what (`audit`). Public face: [`Access`],
//! [`Actor`], [`Token`]; inside the crate [`Audit`], [`AuditedAction`], [`JobOwner`], [`PeerLimit`].

mod actor;
mod audit;
mod log_in;
mod peer;
mod peer_limit;
mod rights;
mod sessions;
#[cfg(test)]
mod tests;
mod throttle;
mod token;

pub use actor::{Actor, Origin, RejectedCredential, Rights};
pub(crate) use audit::{Audit, AuditedAction, JobOwner, count_of_entries};
pub(crate) use peer::Peer;
pub use peer::network_of;
pub use peer_limit::PeerPermit;
pub(crate) use peer_limit::{PeerBounds, PeerLimit};
pub use rights::{Access, AccessSettings, Credentials, LogInError, LoggedIn};
pub use token::{Token, TokenError};
