//! What the cache promises, on a real redis-server.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod coherence;
mod groups;
mod hot_keys;
mod invalidations;
mod observe;
mod patterns;
mod reads;
mod redis_away;
mod single_flight;
mod stale;
mod support;
mod what_if;
mod write_behind;
