//! The console over HTTP, below `/api/v1`: what operators see and may do, as JSON or CSV. A file
//! for each kind of thing.

pub(crate) mod activity;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod caches;
pub(crate) mod dead_letters;
mod error;
pub(crate) mod history;
pub(crate) mod invalidations;
pub(crate) mod keys;
pub(crate) mod nodes;
pub(crate) mod session;
pub(crate) mod traffic;
