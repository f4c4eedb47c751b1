//! Writes that are acknowledged before the source has them.

mod durable;
mod faults;
mod in_memory;
mod table;
