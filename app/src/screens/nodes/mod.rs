//! The page of the nodes: their health, their background tasks, where they disagree, and their L1
//! of each cache.

mod address;
mod agreement;
mod find;
mod matrix;
mod page;
mod presence;
mod tasks;

pub(crate) use page::page;
