//! The caching strategies, one file each. The lab runs this code, and its pages show it.
//! `table.rs` has one row for each; [`StrategyKind`] names them and `Strategy` is one at work.

#![expect(missing_docs, reason = "each has the same two operations, read and write")]

mod all_pages;
mod batch;
mod cache_aside;
mod decision_cached;
mod durable_write_behind;
mod fill_by_hand;
mod forget_first;
mod forget_found;
mod forgetful_channel;
mod l1_first;
mod levels_by_hand;
mod lru_by_hand;
mod no_cache;
mod one_page;
mod pattern;
mod pattern_in_redis;
mod read_through;
mod redis_by_hand;
mod repository;
mod set_after_write;
mod strategy;
mod table;
mod tags;
mod tell_nobody;
mod wait_for_expiry;
mod write_behind;
mod write_through;

use levels_by_hand::LevelsByHand;
pub(crate) use repository::may_see;
pub use strategy::{ChangeError, StrategyContext};
pub use table::{Strategy, StrategyKind};
