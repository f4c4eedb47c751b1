//! Unwritten values in the process: lost with it.
//!
//! | file | what |
//! |---|---|
//! | `writer` | the writing and reading side |
//! | `consumer` | the flusher's side |
//! | `state`, `letters` | what waits and what stands aside |
//! | `dead_letters` | lists, redrives and drops what stands aside |

mod consumer;
mod dead_letters;
mod letters;
mod state;
mod writer;

pub(super) use writer::Memory;
