//! Unwritten values in the process: lost with it.
//!
//! | file | what |
//! |---|---|
//! | `writer` | the writing and reading side |
//! | `consumer` | the flusher's side |
//! | `state` | what waits and what stands aside |

mod consumer;
mod state;
mod writer;

pub(super) use writer::Memory;
