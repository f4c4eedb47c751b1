//! Unwritten values in the process: lost with it.
//!
//! | file | what |
//! |---|---|
//! | `writer` | the writing and reading side |
//! | `consumer` | the flusher's side |
//! | `state` | what waits and what stands aside |
//! | `rows` | what waits, by number and by key |

mod consumer;
mod rows;
mod state;
mod writer;

pub(super) use writer::Memory;
