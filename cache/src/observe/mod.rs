//! The recorder around a moka cache that a service already has: moka counts nothing itself.
//!
//! | file | what |
//! |---|---|
//! | `observer` | the three lines |
//! | `observed`, `sync`, `future` | the cache that counts and delegates |
//! | `watch`, `reading`, `births` | what is counted, and how |
//! | `moka_face` | either kind of moka cache, as the rest sees it |
//! | `watched`, `keyed` | the node's view |

mod births;
#[cfg(feature = "future")]
mod future;
mod keyed;
mod moka_face;
mod observed;
mod observer;
mod reading;
mod sync;
mod watch;
mod watched;

pub use moka_face::MokaFace;
pub use observed::Observed;
pub use observer::Observer;
