//! The cache's guarantees, tested on a real redis-server if the feature `redis` is on.

#![cfg_attr(not(feature = "redis"), expect(dead_code, reason = "what the tests with Redis share"))]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg_attr(feature = "redis", expect(clippy::expect_used, reason = "a test fails by panicking"))]

#[cfg(feature = "redis")]
mod bad_input;
#[cfg(feature = "redis")]
mod bulk;
#[cfg(feature = "redis")]
mod census;
#[cfg(feature = "redis")]
mod clocks;
#[cfg(feature = "redis")]
mod codecs;
#[cfg(feature = "redis")]
mod coherence;
#[cfg(feature = "redis")]
mod connections;
#[cfg(feature = "redis")]
mod doctor;
#[cfg(feature = "fleet")]
mod elsewhere;
#[cfg(feature = "redis")]
mod erase;
#[cfg(feature = "redis")]
mod eviction;
#[cfg(feature = "redis")]
mod failover;
#[cfg(feature = "redis")]
mod faults;
#[cfg(feature = "redis")]
mod fleet;
#[cfg(feature = "redis")]
mod greeting;
mod groups;
#[cfg(feature = "redis")]
mod heartbeat;
#[cfg(feature = "redis")]
mod held_up;
mod hot_keys;
mod imports;
mod interleaved;
#[cfg(feature = "redis")]
mod invalidations;
mod l1_only;
#[cfg(feature = "redis")]
mod l2_lookups;
#[cfg(feature = "redis")]
mod late_calls;
#[cfg(feature = "redis")]
mod leases;
mod loads;
mod looking;
#[cfg(feature = "redis")]
mod lost_answers;
mod observe;
mod odd_keys;
#[cfg(feature = "redis")]
mod other_runtimes;
mod patterns;
#[cfg(feature = "redis")]
mod previous;
mod readme;
#[cfg(feature = "redis")]
mod reads;
#[cfg(feature = "redis")]
mod redis_away;
#[cfg(feature = "redis")]
mod refusals;
#[cfg(feature = "redis")]
mod schemas;
#[cfg(feature = "redis")]
mod silent_bus;
#[cfg(feature = "redis")]
mod single_flight;
#[cfg(feature = "redis")]
mod slow_log;
mod spans;
#[cfg(feature = "redis")]
mod stale;
mod state_machine;
#[cfg(feature = "redis")]
mod storm;
#[path = "../../fuzz/stringmatch.rs"]
mod stringmatch;
#[cfg(feature = "redis")]
mod structures;
mod support;
#[cfg(feature = "redis")]
mod tags;
#[cfg(feature = "redis")]
mod tasks;
#[cfg(feature = "redis")]
mod trust;
#[cfg(feature = "redis")]
mod user_code;
#[cfg(feature = "redis")]
mod versions;
mod what_if;
#[cfg(feature = "redis")]
mod write_behind;
