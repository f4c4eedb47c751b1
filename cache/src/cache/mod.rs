//! The typed face of a cache: its handle and its builder.

mod builder;
mod changes;
mod handle;

pub use builder::CacheBuilder;
pub use handle::Cache;
