// Who may import whom: a folder or file imports those on the lines above its own. A test checks it.
// Each folder adds its own methods to `Console`, so every file may import that type.
//
// - clock, error
// - nodes
// - access
// - redis
// - history
// - alerts
// - live
// - keys
// - invalidation
// - dead_letters
// - traffic
// - shutdown
// - limits
// - console
//
// + console::Console

//! What an operator sees and may do: live numbers of every node and cache, their history, the keys,
//! invalidations that can be planned, watched and cancelled, and who did what.
//!
//! Pages, HTTP interface and server functions all go through a [`Console`], so permission and audit
//! are the same for each of them.

#![warn(missing_docs)]

mod access;
mod alerts;
mod clock;
mod console;
mod dead_letters;
mod error;
mod history;
mod invalidation;
mod keys;
mod limits;
mod live;
mod nodes;
mod redis;
mod shutdown;
mod traffic;

pub use access::{
    Access, AccessSettings, Actor, Credentials, Full, LogInError, LoggedIn, Origin, Peer,
    PeerBounds, PeerLimit, PeerPermit, RejectedCredential, Rights, Token, TokenError,
};
pub use alerts::ExpectedNodes;
pub use console::{Console, ConsoleSettings};
pub use error::ConsoleError;
pub use invalidation::{Protected, ProtectedError};
pub use keys::{KeyColumn, KeyOrder, SearchResults, SourceReader};
pub use limits::ConsoleLimits;
pub use live::Tick;
pub use nodes::{
    Answer, AttachGuard, FanOut, L2Step, NODES_AT_ONCE, NodeClient, NodeCondition, NodeGroup,
    NodeStatus, NodesPage, NodesQuery, Pace, RemoteNodes, SharedRedis, SharedReport,
};
pub use traffic::TrafficControl;
