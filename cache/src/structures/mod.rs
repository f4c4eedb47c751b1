//! Hashes, lists and counters in Redis, for services that need them beside their caches.
//!
//! | file | what |
//! |---|---|
//! | `handle` | the handle that a node returns for a name |
//! | `key` | operations on a key of any kind |
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
