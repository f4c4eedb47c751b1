//! The dead letters of a cache: acknowledged writes that the database refused. They are listed,
//! redriven and dropped here; see `page`.

mod confirm;
mod job;
mod list;
mod page;
mod search;
mod time;
mod view;

pub(super) use page::page;
