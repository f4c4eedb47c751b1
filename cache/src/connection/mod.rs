//! A node's way to Redis: timeouts, a breaker, and what Redis's answers mean.

mod answer;
mod call;
mod errors;
mod handshake;
#[cfg(feature = "holds")]
#[doc(hidden)]
pub mod holds;
mod link;
mod lua;
mod namespace;
#[cfg(not(feature = "redis"))]
pub(crate) mod no_redis;
mod operator;
mod pending;
mod query;
mod recovery;

pub(crate) use answer::{Answer, Away, Failed, Verdict};
pub(crate) use handshake::{Hello, must_be_no_replica, must_take_invalidations, run_id};

pub(crate) use link::{Link, SLOW_TIMEOUT, in_time};
pub(crate) use lua::{ANNOUNCE, Named, scripts};
pub(crate) use namespace::Bus;
pub(crate) use pending::Pending;
pub(crate) use query::Step;
pub(crate) use query::{Answers, AnyReply, Query, Reply};

pub(crate) use namespace::NAMED as SCRIPTS;
