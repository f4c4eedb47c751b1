//! Every path of the dashboard. `router.rs` lists them one by one; below are what answers them.

mod api;
mod events;
mod front;
mod health;
mod login;
mod looks;
mod metrics;
mod openapi;
mod route_table;
mod router;

pub(crate) use front::front_router;
pub use openapi::QueryParameters;
pub use route_table::{Changing, Route, RouteKind, RouteTable};
pub use router::{AccessRules, MoreRoutes};
pub(crate) use router::{Admission, router, routes, unknown_service_router};
