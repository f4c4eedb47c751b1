//! What an operator sees and may do: live numbers of every node and cache, their history, looks
//! at keys, invalidations that can be planned, watched and cancelled, and who did what.
//!
//! Every door (screen, HTTP interface, server function) goes through a [`Console`], so permission
//! and audit are the same behind each of them.

#![warn(missing_docs)]

mod access;
mod activity;
mod agreement;
mod alerts;
mod audit;
mod audit_log;
mod census;
mod clock;
mod console;
mod cursor;
mod dead_letter_jobs;
mod dead_letter_list;
mod dead_letter_run;
mod dead_letters;
mod details;
mod doer;
mod end_jobs;
mod errand;
mod error;
mod found;
mod guests;
mod history;
mod inspect;
mod invalidations;
mod jobs;
mod kept;
mod key_order;
mod keys;
mod log_in;
mod looks;
mod node_face;
mod nodes;
mod not_heard;
mod own_node;
mod pasts;
mod peer_limit;
mod plans;
mod protected;
mod redis;
mod refresh;
mod replayed;
mod ring;
mod sampler;
mod search;
mod settings;
mod source_face;
mod survivors;
mod turns;

pub use access::{
    Access, AccessSettings, Actor, Credentials, InVain, LogInError, LoggedIn, Origin, Rights,
    Token, TokenError, network_of,
};
pub use console::Console;
pub use error::ConsoleError;
pub use found::Found;
pub use guests::Attached;
pub use key_order::{KeyColumn, KeyOrder};
pub use node_face::{Answer, KeyMatch, L1Listed, L2Step, NodeFace};
pub use peer_limit::PeerPermit;
pub use protected::{Protected, ProtectedError};
pub use sampler::Tick;
pub use settings::ConsoleSettings;
pub use source_face::SourceFace;
