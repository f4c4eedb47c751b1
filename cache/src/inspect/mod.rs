//! Consoles' requests to a node: looks at keys, listings, counts, events, Redis's own numbers. A
//! look changes no deadline and no popularity.

mod census;
mod dead_letters;
mod dyn_cache;
mod journal;
mod node;
mod peers;
mod redis_server;
mod script_names;
mod walk;

pub use census::{L2Census, L2Count};
pub use journal::Journal;
pub use script_names::script_name;
