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

pub(crate) use demo::{Sites, demo_routes};
pub(crate) use lab::lab_routes;
pub use route_table::{Route, RouteKind};
pub(crate) use router::{AccessRules, MoreRoutes, router, routes};
