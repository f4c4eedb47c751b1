//! The services that `strata serve` shows: found in one Redis or several, each with a console and a
//! dashboard of its own, behind one front page, one log-in and one set of limits.

mod dispatch;
mod front;
mod list;
mod place;
mod ready;
mod service;
mod service_id;

pub(super) use dispatch::router;
pub(super) use list::Services;
