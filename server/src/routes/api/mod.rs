pub(crate) mod audit;
pub(crate) mod caches;
mod error;
pub(crate) mod invalidations;
pub(crate) mod keys;
pub(crate) mod nodes;
pub(crate) mod session;
pub(crate) mod traffic;
