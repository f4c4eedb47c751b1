//! What a program of ours needs to serve the dashboard as its own: with its connections, its settings,
//! and its own paths behind the same doors.

pub use crate::access::{AnonymousTurns, Hosts, Network, Proxies, PublicUrl};
pub use crate::assets::page_files;
pub use crate::http::extract;
pub use crate::http::{
    AppError, HEALTH_PATHS, RequestId, TRACES_PATH, TimedBody, below_base, cookie_value, wants_page,
};
pub use crate::metrics::{HttpMetrics, NodeCollector, ProgramCollector, observed};
pub use crate::pages::document;
pub use crate::routes::{
    AccessRules, Changing, MoreRoutes, Route, RouteKind, RouteTable, front_router, router, routes,
};
pub use crate::state::{AppState, Needs, Parts, Probe, Snapshots};
pub use crate::threads::{Placement, spawn};
