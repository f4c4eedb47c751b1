//! One running copy of the demo service. It reads through the caches and writes to the store.
//! [`Site`] has one method for each request.

mod checks;
mod copy;
mod detach;
mod objects;
mod posts;
mod source;
mod timelines;
mod users;

pub use checks::MAX_BATCH;
pub(crate) use checks::{MAX_KEY_BYTES, MAX_TRACE_KEY_BYTES};
pub use copy::Site;
pub use source::CacheKey;
