//! The log, on standard error. Whatever becomes of that, closed, full or read by nobody, it costs
//! lines of log and nothing else: a thread of its own writes, and those who log never wait.

mod one_line;
pub(crate) mod requests;
mod writer;

pub(crate) use writer::flush;
pub use writer::{Log, LogFormat, log_to_stderr};
