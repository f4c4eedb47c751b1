//! The page of keys: search, one key looked at everywhere, and invalidation from plan to report.

mod copies;
mod history;
mod inspector;
mod job;
mod page;
mod plan;
mod rows;
mod search;
mod value;
mod view;

pub(crate) use page::page;
pub(super) use value::shown as shown_value;
