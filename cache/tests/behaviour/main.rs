//! What the cache promises, on a real redis-server.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod coherence;
mod invalidations;
mod patterns;
mod reads;
mod redis_away;
mod single_flight;
mod support;
