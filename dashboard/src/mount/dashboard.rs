use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::request::Parts;
use strata_app::{ApplicationPage, BasePath, EnvironmentColour};
use strata_cache::{Node, Tasks};
use strata_console::{AccessSettings, Console, ConsoleSettings, Protected, RemoteNodes};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::fleet::{Shown, others, start};
use super::nodes::distinct;
use super::{DashboardEnd, MountError, Mounted};
use crate::access::{Access, ApplicationRules};
use crate::console_router::{ApplicationParts, ConsoleRouter, end};

const NOBODY_ACTS: &str = "Nobody may change anything here, because the application has not said who may. It does so by \
     Dashboard::access.";
const HOST_DECIDES: &str = "This application does not let you change anything here.";
const READ_ONLY: &str =
    "The application has mounted this dashboard read-only, so nothing can be changed here.";

/// How often the application is asked again who reads a stream, where it does not say how often.
const ACCESS_RECHECKED_EVERY: Duration = Duration::from_secs(30);

/// More often would cost more than the stream.
const SHORTEST_RECHECK: Duration = Duration::from_secs(1);

/// How long it may take to tell the other nodes that nobody watches any more.
const GOODBYE: Duration = Duration::from_secs(1);

/// A dashboard among the paths of an axum application: screens, API, live events and metrics.
///
/// Without [`access`](Self::access) a browser on the same machine may look, nobody else may, and nobody
/// may act. For that the application has to be served with
/// `into_make_service_with_connect_info::<SocketAddr>()`, or nobody may look either.
///
/// ```no_run
/// use std::net::SocketAddr;
///
/// use axum::Router;
/// use strata_cache::Node;
/// use strata_dashboard::Dashboard;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let node = Node::builder("shop").start().await?;
/// let app = Router::new().nest_service("/cache", Dashboard::new(&node).router()?);
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "it does nothing until it is a router"]
pub struct Dashboard {
    nodes: Vec<Node>,
    shown: Shown,
    rules: ApplicationRules,
    access_rechecked_every: Duration,
    protected: Vec<String>,
    page: ApplicationPage,
    public_path: Option<String>,
    public_url: Option<String>,
    shutdown: CancellationToken,
}

impl Dashboard {
    /// Over this node: its caches, and moka caches that it observes. It needs no Redis. Where the node
    /// has one, the other nodes of its namespace are shown as well, wherever they run, as far as
    /// their [`Fleet`](strata_cache::Fleet) allows.
    pub fn new(node: &Node) -> Self {
        Self {
            nodes: vec![node.clone()],
            shown: Shown::default(),
            rules: ApplicationRules::default(),
            access_rechecked_every: ACCESS_RECHECKED_EVERY,
            protected: Vec::new(),
            page: ApplicationPage::default(),
            public_path: None,
            public_url: None,
            shutdown: CancellationToken::new(),
        }
    }

    /// More nodes of this process, which are shown and added up beside the first. A node that is named
    /// twice counts once. All of them have to be of one namespace and to use one Redis, by the same
    /// address: what is changed or searched there is asked of one of them.
    pub fn nodes<'a>(mut self, nodes: impl IntoIterator<Item = &'a Node>) -> Self {
        self.nodes.extend(nodes.into_iter().cloned());
        self
    }

    /// Shows only the nodes that it was given, and reads nothing of others in Redis. What is
    /// invalidated is gone on the others too, since all share Redis.
    pub fn only_these_nodes(mut self) -> Self {
        self.shown = Shown::Given;
        self
    }

    /// Who asks, and what they may do. It is called with the head of each request, whose extensions
    /// have what the application's own layers have put there. Where it panics, that one request is
    /// answered with an error.
    ///
    /// It also decides about `/metrics`, `/healthz` and `/readyz`. The path in `parts.uri` is the one below
    /// that of the dashboard. A rule by the address of the peer needs a check of the `Host` as well: a
    /// page of another site can reach the application from a trusted browser under a name of its own.
    ///
    /// An open page asks again every 30 s as long as somebody looks at it, as
    /// [`recheck_access_every`](Self::recheck_access_every) says. Each time is a request of its user to the
    /// application: a session that ends when it is idle does not end while such a page is open.
    ///
    /// ```
    /// # use strata_dashboard::{Access, Dashboard};
    /// # fn with(dashboard: Dashboard) -> Dashboard {
    /// # #[derive(Clone)] struct User { name: String, is_admin: bool }
    /// dashboard.access(|parts| match parts.extensions.get::<User>() {
    ///     Some(user) if user.is_admin => Access::operator(&user.name),
    ///     Some(user) => Access::viewer(&user.name),
    ///     None => Access::nobody(),
    /// })
    /// # }
    /// ```
    pub fn access(mut self, access: impl Fn(&Parts) -> Access + Send + Sync + 'static) -> Self {
        self.rules.access = Some(Arc::new(access));
        self
    }

    /// How often an open page has [`access`](Self::access) asked again whether its user may still look.
    /// Without this it is every 30 s; it is one second at least. From one time to the next it varies by a
    /// fifth, so that pages do not all come back at once. After a log-out numbers go on for so long at
    /// most. Each time is a short request through all layers of the application. A program that reads the
    /// live stream without `?renew=true` is asked a tenth as often, and its stream ends then.
    pub fn recheck_access_every(mut self, time: Duration) -> Self {
        self.access_rechecked_every = time.max(SHORTEST_RECHECK);
        self
    }

    /// The address of who asks. Limits count clients by it, and the audit trail shows it. Without
    /// this, and where it says `None`, it is the peer of the connection, which behind a proxy is the
    /// proxy: then all clients share what one of them may have. It is called with the head of each
    /// request, and gives nobody any right. Where it panics, that one request is answered with an error.
    ///
    /// A header such as `X-Forwarded-For` may only be believed where your proxy has written it. Of
    /// several addresses in it the last one is the proxy's word; those before it anybody can have
    /// written.
    ///
    /// ```
    /// # use std::net::SocketAddr;
    /// # use strata_dashboard::Dashboard;
    /// # fn with(dashboard: Dashboard) -> Dashboard {
    /// dashboard.client_address(|parts| {
    ///     let hops = parts.headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    ///     let hop = hops.rsplit(',').next()?.trim();
    ///     // Some proxies add the port, and brackets around an IPv6 address.
    ///     let with_port = hop.parse::<SocketAddr>().map(|address| address.ip());
    ///     let bare = hop.trim_start_matches('[').trim_end_matches(']');
    ///     with_port.or_else(|_| bare.parse()).ok()
    /// })
    /// # }
    /// ```
    pub fn client_address(
        mut self,
        address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.rules.client_address = Some(Arc::new(address));
        self
    }

    /// Nobody may change anything, whatever rights they have.
    pub fn read_only(mut self) -> Self {
        self.rules.read_only = true;
        self
    }

    /// Keys that nobody may invalidate here: a cache and a pattern of its keys, such as `session:*`.
    pub fn protect<T: Into<String>>(mut self, keys: impl IntoIterator<Item = T>) -> Self {
        self.protected.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Where the data are, such as `production`; it stands above every page.
    pub fn environment(mut self, name: impl Into<String>, colour: EnvironmentColour) -> Self {
        self.page.environment = Some((name.into(), colour));
        self
    }

    /// The nonce of the application's own content security policy for a request, for a policy that lets
    /// only scripts and styles with it pass. Without one, pages have a nonce and a policy of their own.
    /// The policy needs `'wasm-unsafe-eval'` in its `script-src`; without it the pages stay as the
    /// server has drawn them, and say so.
    pub fn nonce(
        mut self,
        nonce: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.rules.nonce = Some(Arc::new(nonce));
        self
    }

    /// The address of the application's own first page, to which each page has a link.
    pub fn home(mut self, address: impl Into<String>) -> Self {
        self.page.home = Some(address.into());
        self
    }

    /// The path under which browsers find the dashboard, where a proxy strips a part of it. Otherwise
    /// it is the path under which the router is nested, and is not said again. A router that is not
    /// nested strips the path where a request still has it, unless it begins as one of the dashboard's
    /// own paths does, such as `/api` and `/keys`.
    pub fn public_path(mut self, path: impl Into<String>) -> Self {
        self.public_path = Some(path.into());
        self
    }

    /// Where browsers find the application, such as `https://shop.example`. It is needed where a proxy
    /// changes the `Host` of requests: a change is refused unless the page that asks for it is at that
    /// host or at this address.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Ends live streams and begun invalidations once the token is cancelled. An application that
    /// stops gracefully needs it: a server waits for open streams, and these never end by themselves.
    /// [`mount`](Self::mount) tells when that is done.
    pub fn until(mut self, shutdown: CancellationToken) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Starts its background tasks, and answers requests. They end with the last clone of the router.
    /// An application that stops gracefully takes [`mount`](Self::mount) instead.
    ///
    /// Nest it with `nest_service("/cache", …)`, which answers `/cache` and `/cache/`; axum's `nest`
    /// answers the first alone. At the root, use `fallback_service(…)`. `merge(…)` does the same, but
    /// panics where the application has a fallback of its own.
    ///
    /// # Errors
    /// Outside of a tokio runtime, where a text makes no sense, and where nodes are of several
    /// namespaces or use several Redis. See [`MountError`].
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Result<Router<S>, MountError> {
        Ok(self.mount()?.router)
    }

    /// The same, and what tells when it has ended. An application that stops gracefully awaits that
    /// last of all, or it loses what the audit trail says of the last moments.
    ///
    /// ```no_run
    /// # use axum::Router;
    /// # use strata_cache::Node;
    /// # use strata_dashboard::{Dashboard, Mounted};
    /// # use tokio_util::sync::CancellationToken;
    /// # async fn run(node: Node, listener: tokio::net::TcpListener) -> Result<(), Box<dyn std::error::Error>> {
    /// let stop = CancellationToken::new();
    /// let Mounted { router, end } = Dashboard::new(&node).until(stop.clone()).mount()?;
    /// let app = Router::new().nest_service("/cache", router);
    /// let stopped = async move {
    ///     let _ = tokio::signal::ctrl_c().await;
    ///     stop.cancel();
    /// };
    /// axum::serve(listener, app).with_graceful_shutdown(stopped).await?;
    /// end.finished().await;
    /// node.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`router`](Self::router).
    pub fn mount<S: Clone + Send + Sync + 'static>(mut self) -> Result<Mounted<S>, MountError> {
        Handle::try_current().map_err(|_| MountError::NoRuntime)?;
        let protected = protected(self.protected)?;
        let base = self.public_path.map(|path| BasePath::of_proxy(&path)).transpose();
        let base = base.map_err(MountError::PublicPath)?;
        let url = self.public_url.map(|url| url.parse()).transpose();
        self.rules.public_url = url.map_err(MountError::PublicUrl)?;
        let nodes = distinct(self.nodes)?;
        let others = others(&nodes, self.shown);
        let shutdown = self.shutdown.child_token();
        let tasks = Some(Tasks::new(shutdown.clone()));
        let settings = ConsoleSettings { protected, tasks, ..console_access(&self.rules).into() };
        let (console, attention) = start((nodes, others.clone()), settings, shutdown.clone());
        let end_at_stop = end_at_stop((console.clone(), others), shutdown.clone());
        let drop_guard = shutdown.clone().drop_guard();
        let (rules, page) = (self.rules, self.page);
        let parts = ApplicationParts {
            rules,
            page,
            access_rechecked_every: self.access_rechecked_every,
            base,
            shutdown,
            attention,
            end: drop_guard,
        };
        let served = ConsoleRouter::of_application(console, parts)
            .map_err(|error| MountError::Metrics(error.to_string()))?;
        let router = served.mount_at_base(served.router(Vec::new())).with_state(());
        Ok(Mounted { router, end: DashboardEnd::new(tokio::spawn(end_at_stop)) })
    }
}

/// Once it is told to stop, begun jobs end, and what was done is kept. It holds no router, whose end
/// it waits for.
async fn end_at_stop(
    (console, others): (Console, Option<RemoteNodes>),
    shutdown: CancellationToken,
) {
    shutdown.cancelled().await;
    end(&console).await;
    if let Some(others) = others {
        // Where Redis is away, what was wanted ends by itself.
        let _: Result<(), _> = timeout(GOODBYE, others.close()).await;
    }
}

fn console_access(rules: &ApplicationRules) -> strata_console::Access {
    let told = match (rules.read_only, &rules.access) {
        (true, _) => READ_ONLY,
        (false, None) => NOBODY_ACTS,
        (false, Some(_)) => HOST_DECIDES,
    };
    strata_console::Access::new(AccessSettings {
        read_only: rules.read_only,
        told_by_application: Some(told),
        ..AccessSettings::default()
    })
}

fn protected(texts: Vec<String>) -> Result<Vec<Protected>, MountError> {
    let read = |text: String| match text.parse() {
        Ok(protected) => Ok(protected),
        Err(reason) => Err(MountError::Protected { text, reason }),
    };
    texts.into_iter().map(read).collect()
}
