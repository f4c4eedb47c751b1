//! The page of Redis: its memory and who uses it, its work, each node's connection to it, and its
//! slow commands.

mod memory;
mod page;

pub(crate) use page::page;
