//! The demo service over HTTP, below `/demo`: users, posts, timelines and objects, each answer with
//! what the cache did for it.

mod answer;
mod cache_status;
mod error;
pub(crate) mod objects;
pub(crate) mod posts;
mod request;
pub(crate) mod timelines;
pub(crate) mod users;
