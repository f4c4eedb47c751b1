//! Writes that are acknowledged before the source has them.
//!
//! | file | what |
//! |---|---|
//! | `handle`, `builder` | the public face |
//! | `row` | what crosses it: rows, errors, what was left |
//! | `flusher` | sends batches to the sink, tries again, sets aside |
//! | `retries` | what failed, and whose fault that was |
//! | `backlog` | what the flusher asks of either kind |
//! | `sink` | one call of the caller's sink |
//! | `inner` | what all clones of a handle share |
//! | `dead_letters/` | lists, redrives and drops what was set aside |
//! | `memory/` | unwritten values in the process |
//! | `durable/` | unwritten values in Redis |
//! | `settings`, `shared` | times and limits; what the handle and the flusher share |

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
