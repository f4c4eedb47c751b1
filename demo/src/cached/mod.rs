//! The demo's caches, one file each: settings, reads, and what a write must do to it.

mod objects;
mod posts;
mod timelines;
mod users;

pub(crate) use objects::CachedObjects;
pub(crate) use posts::CachedPosts;
pub(crate) use timelines::CachedTimelines;
pub use timelines::TimelineKey;
pub(crate) use users::CachedUsers;
