//! What consoles ask of a node. Nothing here disturbs a cache.

mod census;
mod dyn_cache;
mod journal;
mod node;
mod redis_server;
mod script_names;
mod walk;

pub use census::{L2Census, L2Count};
pub use journal::Journal;
pub use script_names::script_name;
