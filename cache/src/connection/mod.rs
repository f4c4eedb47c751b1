//! A node's link to Redis: one connection with a hard timeout on every call, and a breaker.
//! It classifies Redis's errors, keeps invalidations that Redis did not accept, and sends them
//! again.

mod answer;
mod call;
mod errors;
mod handshake;
#[cfg(feature = "holds")]
#[doc(hidden)]
pub mod holds;
mod home;
mod link;
mod lua;
mod namespace;
#[cfg(not(feature = "redis"))]
pub(crate) mod no_redis;
mod operators;
mod pending;
mod query;
mod redirect;
#[cfg(feature = "redis")]
mod servers;

#[cfg(not(feature = "redis"))]
pub(crate) use no_redis::connector::Connector;
#[cfg(feature = "redis")]
pub(crate) use servers::Connector;
#[cfg(feature = "redis")]
pub use servers::{Credentials, RedisAddress};

pub(crate) use answer::{Away, CallError, ErrorClass, ErrorReply};
pub(crate) use handshake::{HelloReply, must_be_no_replica, must_take_invalidations, run_id};
#[cfg(feature = "redis")]
pub(crate) use handshake::{must_be_no_sentinel, must_be_recent};

pub(crate) use link::{Link, SLOW_TIMEOUT, in_time};
pub(crate) use lua::{ANNOUNCE, NamedScript, scripts};
pub(crate) use namespace::{Bus, is_name};
pub(crate) use pending::PendingInvalidation;
pub(crate) use query::Step;
pub(crate) use query::{AnyReply, PipelineReplies, Query, Reply};

pub(crate) use namespace::NAMED as SCRIPTS;
