//! Unwritten values in the process: lost with it.
//!
//! | file | what |
//! |---|---|
//! | `writer` | the writing and reading side |
//! | `consumer` | the flusher's side |
//! | `state`, `rows`, `letters` | what waits, by number and by key, and what stands aside |
//! | `dead_letters` | lists, redrives and drops what stands aside |

mod consumer;
mod dead_letters;
mod letters;
mod rows;
mod state;
mod writer;

pub(super) use writer::Memory;
