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
//! | `settings`, `control`, `counts` | times and limits, start and end, numbers |

mod backlog;
mod builder;
mod control;
mod counts;
mod dead_letters;
mod durable;
mod flusher;
mod handle;
mod inner;
mod memory;
mod retries;
mod row;
mod settings;
mod sink;

pub use builder::WriteBehindBuilder;
pub(crate) use dead_letters::DynWriteBehind;
pub use dead_letters::{DeadLetter, DeadLetterFilter, DeadLetterList, DeadLetterStep, DeadLetters};
pub(crate) use durable::SCRIPTS;
pub use handle::WriteBehind;
pub use row::{Drained, Row, WriteError};
pub use sink::PermanentFailure;
