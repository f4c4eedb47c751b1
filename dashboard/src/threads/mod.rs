//! Threads that give way to those of the service, and which connections they serve.

pub(crate) mod low_priority;
mod placed;

pub use placed::{Placement, spawn};
