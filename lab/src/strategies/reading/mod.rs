//! Who reads, and what happens where nothing is found.

pub(super) mod batch;
pub(super) mod cache_aside;
pub(super) mod decision_cached;
pub(super) mod fill_by_hand;
pub(super) mod lru_by_hand;
pub(super) mod no_cache;
pub(super) mod read_through;
pub(super) mod redis_by_hand;
pub(super) mod repository;
