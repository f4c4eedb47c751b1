//! A node: its registry of caches, its background tasks and their supervision.

mod background;
mod builder;
mod dyn_cache;
mod handle;
mod shared;
mod tasks;

pub use builder::NodeBuilder;
pub(crate) use builder::check_name;
pub(crate) use dyn_cache::{DynCache, Ear};
pub use handle::Node;
pub use tasks::Tasks;
