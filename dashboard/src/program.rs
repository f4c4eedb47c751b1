//! What a program of ours needs to serve a dashboard as its own: with its connections, its settings,
//! its tokens, and its own paths for those whom it admits.

pub use crate::access::{AnonymousTurns, Hosts, Network, Proxies, PublicUrl};
pub use crate::console_router::{ConsoleRouter, OwnParts};
pub use crate::http::extract;
pub use crate::http::{
    AppError, HEALTH_PATHS, RequestId, TRACES_PATH, TimedBody, below_base, cookie_value,
    wants_page, with_path,
};
pub use crate::metrics::{LabelledConsole, NodeMetrics};
pub use crate::pages::document;
pub use crate::routes::{
    AccessRules, Changing, MoreRoutes, QueryParameters, Route, RouteKind, RouteTable,
};
pub use crate::state::{Attention, Needs, Probe, WhenIdle};
pub use crate::threads::{Placement, spawn};
