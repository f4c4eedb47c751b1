//! A console's end: it looks which nodes there are, and asks them.
//!
//! | file | what |
//! |---|---|
//! | `announced` | which namespaces there are |
//! | `client` | one console at a namespace |
//! | `known_node`, `known_nodes` | whether nodes beat, and what was read of them |
//! | `view` | the nodes at one instant |
//! | `asking`, `replies` | what nodes are asked, and what they answer |
//! | `watched_keys` | what nodes tell of keys that somebody looks at |

mod announced;
mod asking;
mod client;
mod known_node;
mod known_nodes;
mod replies;
mod view;
mod watched_keys;

pub use announced::Announcements;
pub use asking::{AskError, AskTo, Replies, SilentNode};
pub use client::FleetClient;
pub use view::{FleetNode, FleetView};

pub(crate) use client::{ClientSettings, Console};
