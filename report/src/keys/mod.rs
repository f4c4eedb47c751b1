//! Keys that were searched or inspected, and everything about one cache.

mod details;
mod lookups;
mod search;
mod survey;

pub use details::{CacheDetails, Expiries};
pub use lookups::{EntryLook, KeyLook, L1Look, L2Look, SourceLook};
pub use search::{KeyPage, KeyQuery, KeyRow, LevelChoice};
pub use survey::L1Survey;
