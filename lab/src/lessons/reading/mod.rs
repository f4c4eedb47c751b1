//! Lessons on reads: who loads, how often, and what one read may cost.

pub(super) mod batch;
pub(super) mod cache_aside;
pub(super) mod negative;
pub(super) mod no_cache;
pub(super) mod read_through;
pub(super) mod refresh_ahead;
pub(super) mod repository;
pub(super) mod stampede;
