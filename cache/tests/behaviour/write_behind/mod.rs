//! Writes that are acknowledged before the source has them.

mod dead_letters;
mod durable;
mod ending;
mod faults;
mod in_memory;
mod lost_answers;
mod outage;
mod room;
mod schemas;
mod storm;
mod table;
