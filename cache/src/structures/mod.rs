//! Hashes, lists and counters in Redis, for callers who need them beside their caches.
//!
//! | file | what |
//! |---|---|
//! | `handle` | what a node gives out under a name |
//! | `key` | operations on a key of whatever kind |
//! | `hash`, `list`, `counter` | operations of each kind |
//! | `target` | one key, and the link to Redis |
//! | `scripts` | the steps that must be atomic |
//! | `error` | why an operation failed |

mod counter;
mod error;
mod handle;
mod hash;
mod key;
mod list;
mod scripts;
mod target;

pub use counter::Counter;
pub use error::StructureError;
pub use handle::Structures;
pub use hash::Hash;
pub use list::List;
pub(crate) use scripts::NAMED as SCRIPTS;
