//! Unwritten values in Redis: a hash with each key's newest value, and a stream of the keys that
//! wait, read by a consumer group. A key is in the stream once, however often it is written.
//!
//! | file | what |
//! |---|---|
//! | `writer` | the writing node's side |
//! | `room_waiters` | writes that wait for room |
//! | `reader` | every node's reads, and the effect of invalidations on them |
//! | `consumer` | the flusher's side |
//! | `dead_letters` | lists, redrives and drops dead letters |
//! | `unwritten` | this node's written values that have not been replaced |
//! | `panic_safe_map` | a map by keys whose code may panic |
//! | `queue` | the keys in Redis and the commands on them |
//! | `stored` | an unwritten value's form in Redis |
//! | `scripts` | the steps that must be atomic |

mod consumer;
mod dead_letters;
mod panic_safe_map;
mod queue;
mod reader;
mod room_waiters;
mod scripts;
mod stored;
mod unwritten;
mod writer;

pub(super) use reader::{Migrate, WaitingValue};
pub(crate) use scripts::NAMED as SCRIPTS;
pub(super) use writer::{Durable, Room, WriteTerms};
