//! Writes that are acknowledged before the source has them.

pub(crate) mod dead_letters;
mod durable;
mod ending;
mod faults;
mod in_memory;
mod lost_answers;
mod newest_letters;
mod outage;
mod room;
mod schemas;
mod silent_bus;
mod storm;
mod table;
