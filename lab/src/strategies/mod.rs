//! The caching strategies, one file each, in a folder by what they are about. The lab runs this code, and its pages show it.
//! `table.rs` has one row for each; [`StrategyKind`] names them and `Strategy` is one at work.

#![expect(missing_docs, reason = "each has the same two operations, read and write")]

mod context;
mod invalidating;
mod reading;
mod strategy;
mod table;
mod two_levels;
mod writing;

pub use context::{ChangeError, StrategyContext};
pub(crate) use reading::repository::may_see;
pub use table::{Strategy, StrategyKind};
