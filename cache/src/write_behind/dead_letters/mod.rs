//! Dead letters: acknowledged writes that the sink refused as often as allowed, or that cannot be
//! read. They are listed page by page, and redriven or dropped in steps that are small for Redis
//! and for the runtime.
//!
//! | file | what |
//! |---|---|
//! | `letter` | a dead letter, and a page of them |
//! | `cursor` | where a list or a run continues |
//! | `run` | lists, redrives and drops, for either kind |
//! | `handle` | the public interface |
//! | `dyn_write_behind` | the same without the cache's types, for consoles |

mod cursor;
mod dyn_write_behind;
mod handle;
mod letter;
mod run;

pub(super) use cursor::Cursor;
pub use letter::{DeadLetter, DeadLetters};
pub(super) use letter::{LetterScan, LetterValue, MoveCounts, StoredLetter, Values};
