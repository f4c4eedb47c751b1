mod answer;
mod asked;
mod cache_status;
mod error;
pub(crate) mod objects;
pub(crate) mod posts;
pub(crate) mod timelines;
pub(crate) mod users;
