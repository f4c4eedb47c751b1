//! Applies the recorder to a moka cache that a service already has, since moka itself counts
//! nothing.
//!
//! | file | what |
//! |---|---|
//! | `observer` | the public entry point |
//! | `observed`, `sync`, `future` | the cache that counts and delegates |
//! | `counts`, `guards`, `insert_times` | the counters, and when they change |
//! | `moka_cache` | a common trait for both kinds of moka cache |
//! | `registered`, `moka_access` | the cache as its node sees it |

mod counts;
#[cfg(feature = "future")]
mod future;
mod guards;
mod insert_times;
mod moka_access;
mod moka_cache;
mod observed;
mod observer;
mod registered;
mod sync;

pub use moka_cache::MokaCache;
pub use observed::Observed;
pub use observer::Observer;
