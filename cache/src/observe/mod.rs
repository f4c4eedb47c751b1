//! The recorder around a moka cache that a service already has: moka counts nothing itself.
//!
//! | file | what |
//! |---|---|
//! | `observer` | the three lines |
//! | `observed`, `sync`, `future` | the cache that counts and delegates |
//! | `counts`, `guards`, `insert_times` | what is counted, and how |
//! | `moka_cache` | either kind of moka cache, as the rest sees it |
//! | `registered`, `moka_access` | the node's view |

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
