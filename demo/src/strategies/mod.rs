//! The caching strategies, one file each: the code that runs in the lab is the code that is shown.

#![expect(missing_docs, reason = "each has the same two operations, read and write")]

mod batch;
mod cache_aside;
mod decision_cached;
mod durable_write_behind;
mod error;
mod fill_by_hand;
mod lru_by_hand;
mod no_cache;
mod pattern;
mod pattern_in_redis;
mod read_through;
mod reading;
mod redis_by_hand;
mod repository;
mod set_after_write;
mod strategy;
mod write_behind;
mod write_through;

pub use batch::Batch;
pub use cache_aside::CacheAside;
pub use decision_cached::DecisionCached;
pub use durable_write_behind::DurableWriteBehind;
pub use error::ChangeError;
pub use fill_by_hand::FillByHand;
pub use lru_by_hand::LruByHand;
pub use no_cache::NoCache;
pub use pattern::ByPattern;
pub use pattern_in_redis::ByPatternInRedis;
pub use read_through::ReadThrough;
pub use redis_by_hand::RedisByHand;
pub use repository::Repository;
pub(crate) use repository::may_see;
pub use set_after_write::SetAfterWrite;
pub use strategy::{Strategy, StrategyKind, Surroundings};
pub use write_behind::WriteBehindInMemory;
pub use write_through::WriteThrough;
