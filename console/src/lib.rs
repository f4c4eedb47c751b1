//! What an operator sees and may do: live numbers of every node and cache, their history, looks
//! at keys, invalidations that can be planned, watched and cancelled, and who did what.
//!
//! Every door (screen, HTTP interface, server function) goes through a [`Console`], so permission
//! and audit are the same behind each of them.

#![warn(missing_docs)]

mod access;
mod audit;
mod census;
mod clock;
mod console;
mod errand;
mod error;
mod history;
mod invalidations;
mod jobs;
mod keys;
mod node_face;
mod ring;
mod sampler;
mod survivors;

pub use access::{Access, AccessSettings, Actor};
pub use console::Console;
pub use error::ConsoleError;
pub use node_face::{Answer, KeyMatch, L2Count, NodeFace};
pub use sampler::Tick;
