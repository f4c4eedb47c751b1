//! Writes that are acknowledged before the source has them.

mod dead_letters;
mod durable;
mod faults;
mod in_memory;
mod table;
