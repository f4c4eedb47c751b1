//! Unwritten values in Redis: a hash of each key's newest value, and a stream of the keys that
//! wait, read by a consumer group. A key lies in the stream once however often it is written.
//!
//! | file | what |
//! |---|---|
//! | `writer` | the writing node's side |
//! | `blocked` | writes that wait for room |
//! | `reader` | every node's reads, and what invalidations mean for them |
//! | `consumer` | the flusher's side |
//! | `dead_letters` | lists, redrives and drops dead letters |
//! | `own` | what this node has written and nobody has replaced |
//! | `slots` | a map by keys whose code may panic |
//! | `place` | the keys in Redis and the commands on them |
//! | `stored` | an unwritten value's form in Redis |
//! | `scripts` | the steps that must be atomic |

mod blocked;
mod consumer;
mod dead_letters;
mod own;
mod place;
mod reader;
mod scripts;
mod slots;
mod stored;
mod writer;

pub(super) use reader::{Migrate, Waiting};
pub(crate) use scripts::NAMED as SCRIPTS;
pub(super) use writer::{Durable, Room, Terms};
