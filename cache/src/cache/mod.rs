//! The typed interface of a cache: the handle that services call, and its builder.
//! Reads are in `handle`, writes and invalidations in `changes`.

mod builder;
mod changes;
mod handle;

pub use builder::CacheBuilder;
pub use handle::Cache;
