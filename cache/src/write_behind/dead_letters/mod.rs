//! Dead letters: acknowledged writes that the sink refused as often as allowed, or that cannot be
//! read. They are listed page by page, and redriven or dropped in steps that are small for Redis
//! and for the runtime.
//!
//! | file | what |
//! |---|---|
//! | `letter` | one of them, and a page of them |
//! | `filter` | which of them are meant |
//! | `cursor` | where a list or a run goes on |
//! | `run` | lists, redrives and drops, for either kind |
//! | `handle` | the public face |
//! | `face`, `node` | the same without the cache's types, for consoles |

mod cursor;
mod face;
mod filter;
mod handle;
mod letter;
mod node;
mod run;

pub(super) use cursor::Cursor;
pub(crate) use face::DynWriteBehind;
pub use filter::DeadLetterFilter;
pub use letter::{DeadLetter, DeadLetters};
pub(super) use letter::{LetterScan, LetterValue, MoveCounts, StoredLetter, Values};
pub use node::{DeadLetterList, DeadLetterStep};
