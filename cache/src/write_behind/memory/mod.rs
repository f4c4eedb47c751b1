//! Unwritten values in the process, which are lost with it.
//!
//! | file | what |
//! |---|---|
//! | `writer` | the writing and reading side |
//! | `consumer` | the flusher's side |
//! | `state`, `rows`, `letters` | waiting rows by number and by key, and dead letters |
//! | `dead_letters` | lists, redrives and drops dead letters |

mod consumer;
mod dead_letters;
mod letters;
mod rows;
mod state;
mod writer;

pub(super) use writer::Memory;
