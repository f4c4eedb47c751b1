//! Every path of the program. `router.rs` lists them one by one; below are what answers them.

mod api;
mod demo;
mod events;
mod health;
mod lab;
mod login;
mod metrics;
mod openapi;
mod route_table;
mod router;

pub use route_table::{Route, RouteKind};
pub(crate) use router::{AccessRules, router, routes};
