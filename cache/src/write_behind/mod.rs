//! Writes that are acknowledged before the source has them.
//!
//! | file | what |
//! |---|---|
//! | `handle`, `builder` | the public interface |
//! | `row` | rows, errors, and the result of a shutdown |
//! | `flusher` | sends batches to the sink, tries again, makes dead letters |
//! | `retries` | failed rows, and whether they or the source are at fault |
//! | `backlog` | the flusher's view of either kind |
//! | `sink` | one call of the caller's sink |
//! | `inner` | the state that all clones of a handle share |
//! | `dead_letters/` | lists, redrives and drops dead letters |
//! | `memory/` | unwritten values in the process |
//! | `durable/` | unwritten values in Redis |
//! | `settings`, `shared` | times and limits; the state that handle and flusher share |

mod backlog;
mod builder;
mod dead_letters;
mod durable;
mod flusher;
mod handle;
mod inner;
mod memory;
mod retries;
mod row;
mod settings;
mod shared;
mod sink;

pub use builder::WriteBehindBuilder;
pub use dead_letters::{DeadLetter, DeadLetters};
pub(crate) use durable::SCRIPTS;
pub use handle::WriteBehind;
pub use row::{Drained, Row, WriteError};
pub use sink::PermanentFailure;
