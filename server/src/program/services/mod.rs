//! The services that `strata serve` shows: found in one Redis or several, each with a console and a
//! dashboard of its own, behind one front page, one log-in and one set of limits.

mod dispatch;
mod expected;
mod failures;
mod front;
mod list;
mod ready;
mod service;
mod service_id;
mod starting;
mod watched_redis;

pub(super) use dispatch::router;
pub(super) use list::Services;
