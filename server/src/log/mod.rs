//! The log, on standard error. A thread of its own writes it, so logging never waits. Where standard
//! error is closed, full or not read, lines are lost and nothing else.

mod one_line;
pub(crate) mod requests;
mod writer;

pub(crate) use writer::flush;
pub use writer::{Log, LogFormat, log_to_stderr};
