use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, get, on, post};
use strata_console::Console;

use crate::access::{Guarded, guard};

/// One method of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path; its parts stand in braces.
    pub path: String,
    /// What it does.
    pub kind: RouteKind,
}

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// It shows something.
    Look,
    /// It is sent something, and changes nothing that others see.
    Ask,
    /// It changes something and needs the right to act.
    Change,
}

impl Route {
    /// That method of that path.
    pub fn new(method: Method, path: &str, kind: RouteKind) -> Self {
        Self { method, path: path.to_owned(), kind }
    }
}

/// The routes of the program. What changes something can only be added with a guard before it.
pub struct RouteTable<S> {
    router: Router<S>,
    console: Console,
    routes: Vec<Route>,
}

impl<S: Clone + Send + Sync + 'static> RouteTable<S> {
    /// No route yet. The console checks the rights.
    pub fn new(console: &Console) -> Self {
        Self { router: Router::new(), console: console.clone(), routes: Vec::new() }
    }

    /// A path that is looked at.
    pub fn get<T: 'static>(mut self, path: &str, handler: impl Handler<T, S>) -> Self {
        self.router = self.router.route(path, get(handler));
        self.routes.push(Route::new(Method::GET, path, RouteKind::Look));
        self
    }

    /// A path that is sent something and changes nothing that others see.
    pub fn ask<T: 'static>(mut self, path: &str, handler: impl Handler<T, S>) -> Self {
        self.router = self.router.route(path, post(handler));
        self.routes.push(Route::new(Method::POST, path, RouteKind::Ask));
        self
    }

    /// Adds changes that need the right to act. The audit trail names them `action`.
    pub fn changing<'a>(&'a mut self, action: &'static str) -> Changing<'a, S> {
        Changing { table: self, action }
    }

    /// Everything together, and what there is.
    pub fn finish(self) -> (Router<S>, Vec<Route>) {
        (self.router, self.routes)
    }
}

/// Takes changes of one kind.
pub struct Changing<'a, S> {
    table: &'a mut RouteTable<S>,
    action: &'static str,
}

impl<S: Clone + Send + Sync + 'static> Changing<'_, S> {
    /// Adds a change by POST.
    pub fn post<T: 'static>(self, path: &'static str, handler: impl Handler<T, S>) -> Self {
        self.add(Method::POST, path, handler)
    }

    /// Adds a change by PUT.
    pub fn put<T: 'static>(self, path: &'static str, handler: impl Handler<T, S>) -> Self {
        self.add(Method::PUT, path, handler)
    }

    /// Adds a change by DELETE.
    pub fn delete<T: 'static>(self, path: &'static str, handler: impl Handler<T, S>) -> Self {
        self.add(Method::DELETE, path, handler)
    }

    fn add<T: 'static>(
        self,
        method: Method,
        path: &'static str,
        handler: impl Handler<T, S>,
    ) -> Self {
        let filter = match method {
            Method::PUT => MethodFilter::PUT,
            Method::DELETE => MethodFilter::DELETE,
            _ => MethodFilter::POST,
        };
        let guarded = Guarded { console: self.table.console.clone(), action: self.action };
        let route = on(filter, handler).route_layer(from_fn_with_state(guarded, guard));
        let router = std::mem::take(&mut self.table.router);
        self.table.router = router.route(path, route);
        self.table.routes.push(Route::new(method, path, RouteKind::Change));
        self
    }
}
