//! The demo service over HTTP, below `/demo`: users, posts, timelines and objects, each answer with
//! what the cache did for it.

mod answer;
mod cache_status;
mod error;
mod objects;
mod posts;
mod request;
mod sites;
mod timelines;
mod users;

use std::sync::Arc;

use strata_console::Console;
use strata_dashboard::program::{MoreRoutes, RouteTable};

pub(crate) use sites::Sites;

/// What the handlers of the demo ask for. Cheap to clone.
#[derive(Clone)]
struct DemoState {
    console: Console,
    sites: Arc<Sites>,
}

/// The demo service's own paths.
pub(crate) fn demo_routes(console: &Console, sites: Arc<Sites>) -> MoreRoutes {
    let mut table = RouteTable::new(console)
        .get("/demo/users", users::list)
        .get("/demo/users/{id}", users::get)
        .get("/demo/posts/{id}", posts::get)
        .get("/demo/timelines/{user}", timelines::get)
        .get("/demo/objects/{key}", objects::get);
    table
        .changing("write_demo")
        .post("/demo/users", users::create)
        .put("/demo/users/{id}", users::put)
        .delete("/demo/users/{id}", users::delete)
        .post("/demo/posts", posts::create)
        .put("/demo/posts/{id}", posts::put)
        .delete("/demo/posts/{id}", posts::delete)
        .put("/demo/objects/{key}", objects::put);
    let (router, routes) = table.finish();
    let state = DemoState { console: console.clone(), sites };
    MoreRoutes { router: router.with_state(state), routes, ..MoreRoutes::default() }
}
