//! A service that caches: users, posts and timelines in two levels over SQL, and its traffic.

// Who may import whom: a folder or file imports those on the lines above its own. A test checks it.
//
// - random, ctx
// - store
// - error, reply
// - cached
// - site
// - traffic
// - trace

#![warn(missing_docs)]

mod cached;
mod ctx;
mod error;
mod random;
mod reply;
mod site;
mod store;
pub mod trace;
mod traffic;

pub use cached::TimelineKey;
pub use ctx::{Caller, Ctx, Freshness};
pub use error::DemoError;
pub use random::Random;
pub use reply::{ReadNote, Reply, WriteNote};
pub use site::{CacheKey, MAX_BATCH, Site};
pub use store::{
    Item, Items, Object, ObjectEdit, Post, PostDraft, PostEdit, PostSummary, Seeding, Store,
    StoreError, TimelinePage, User, UserDraft, UserEdit, UserRole, UserView, Visibility,
};
pub use traffic::{STEADY, Traffic, TrafficCounts, TrafficError, Zipf};
