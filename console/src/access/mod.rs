//! Who may do what, how much of it at a time, and who did what (`audit`). Public face: [`Access`],
//! [`Actor`], [`Token`], [`PeerLimit`]; inside the crate [`Audit`], [`AuditedAction`], [`JobOwner`].

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
pub use peer::Peer;
pub use peer_limit::{Full, PeerBounds, PeerLimit, PeerPermit};
pub use rights::{Access, AccessSettings, Credentials, LogInError, LoggedIn};
pub use token::{Token, TokenError};
