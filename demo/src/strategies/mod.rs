//! The caching strategies, one file each: the code that runs in the lab is the code that is shown.

#![expect(missing_docs, reason = "each has the same two operations, read and write")]

mod all_pages;
mod cache_aside;
mod durable_write_behind;
mod error;
mod fill_by_hand;
mod forget_first;
mod forget_found;
mod forgetful_channel;
mod l1_first;
mod levels_by_hand;
mod no_cache;
mod one_page;
mod pattern;
mod pattern_in_redis;
mod read_through;
mod set_after_write;
mod strategy;
mod tags;
mod tell_nobody;
mod wait_for_expiry;
mod write_behind;
mod write_through;

pub use all_pages::AllPages;
pub use cache_aside::CacheAside;
pub use durable_write_behind::DurableWriteBehind;
pub use error::ChangeError;
pub use fill_by_hand::FillByHand;
pub use forget_first::ForgetFirst;
pub use forget_found::ForgetFound;
pub use forgetful_channel::ForgetfulChannel;
pub use l1_first::L1First;
pub use levels_by_hand::LevelsByHand;
pub use no_cache::NoCache;
pub use one_page::OnePage;
pub use pattern::ByPattern;
pub use pattern_in_redis::ByPatternInRedis;
pub use read_through::ReadThrough;
pub use set_after_write::SetAfterWrite;
pub use strategy::{Strategy, StrategyKind, Surroundings};
pub use tags::ByTag;
pub use tell_nobody::TellNobody;
pub use wait_for_expiry::WaitForExpiry;
pub use write_behind::WriteBehindInMemory;
pub use write_through::WriteThrough;
