//! Lessons on the two levels: what stays in L1, and what becomes of reads without Redis.

pub(super) mod eviction;
pub(super) mod redis_away;
pub(super) mod two_levels;
