//! How a node is set up and started.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::handle::Node;
use super::shared::Shared;
use crate::connection::{Bus, Connector, Link, is_name};
use crate::error::BuildError;
use crate::log::log_safely;

/// Of a longer name of a machine the beginning counts.
const MAX_HOST_CHARS: usize = 48;

/// Settings of a [`Node`].
#[derive(Clone)]
pub struct NodeBuilder {
    namespace: String,
    id: Option<String>,
    pub(super) version: String,
    redis_url: Option<String>,
    #[cfg(feature = "redis")]
    redis: Option<crate::connection::RedisAddress>,
    l2_timeout: Duration,
    observes: bool,
    #[cfg(feature = "fleet")]
    pub(super) fleet: crate::fleet::Fleet,
    #[cfg(feature = "fleet")]
    pub(super) identity: crate::fleet::Identity,
}

/// Without the address of Redis, which may hold a password.
impl std::fmt::Debug for NodeBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("NodeBuilder");
        fields.field("namespace", &self.namespace).field("id", &self.id);
        fields.field("version", &self.version).field("has_redis", &self.has_redis());
        fields.field("l2_timeout", &self.l2_timeout).field("observes", &self.observes);
        #[cfg(feature = "fleet")]
        fields.field("fleet", &self.fleet).field("identity", &self.identity);
        fields.finish()
    }
}

impl Node {
    /// The hard timeout of one L2 call.
    pub const DEFAULT_L2_TIMEOUT: Duration = Duration::from_millis(100);

    /// A node in `namespace`: 1 to 64 of `a-z`, `0-9`, `_` and `-`. Nodes with the same namespace
    /// and Redis share L2 and bus, so all of them must belong to the same service and environment.
    pub fn builder(namespace: &str) -> NodeBuilder {
        NodeBuilder {
            namespace: namespace.to_owned(),
            id: None,
            version: String::new(),
            redis_url: None,
            #[cfg(feature = "redis")]
            redis: None,
            l2_timeout: Self::DEFAULT_L2_TIMEOUT,
            observes: false,
            #[cfg(feature = "fleet")]
            fleet: crate::fleet::Fleet::default(),
            #[cfg(feature = "fleet")]
            identity: crate::fleet::Identity::default(),
        }
    }
}

impl NodeBuilder {
    /// The node's id, for reports: 1 to 256 bytes, or the node does not start. Default: the machine
    /// or container and the process, as `pod-7-1`, with a number at the end for a second node of the
    /// namespace in one process. The bus does not use it to tell nodes apart.
    pub fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// A node that only looks on: it has no caches of its own, and finds any cache of the namespace
    /// by its name. [`Node::invalidate`], [`Node::mark_stale`] and the walks and counts of L2 do what
    /// they do on a node of the service, and the service's nodes hear of it by the bus. It has no L1,
    /// shows no values, announces itself to nobody, and writes nothing but what it is asked to.
    pub fn observer(mut self) -> Self {
        self.observes = true;
        self
    }

    /// The version of the program, for reports.
    pub fn version(mut self, version: &str) -> Self {
        version.clone_into(&mut self.version);
        self
    }

    /// The address of Redis, such as `redis://…`; [`RedisAddress`](crate::RedisAddress) lists the
    /// forms. Without it the node has only L1.
    pub fn redis_url(mut self, url: &str) -> Self {
        self.redis_url = Some(url.to_owned());
        #[cfg(feature = "redis")]
        {
            self.redis = None;
        }
        self
    }

    /// The address of Redis with files of certificates, a login that is renewed, and the like. In
    /// place of [`redis_url`](Self::redis_url).
    #[cfg(feature = "redis")]
    pub fn redis(mut self, address: crate::connection::RedisAddress) -> Self {
        (self.redis_url, self.redis) = (None, Some(address));
        self
    }

    /// A client of Redis that was built elsewhere, whose login and TLS count. In place of
    /// [`redis_url`](Self::redis_url). Neither Sentinels nor a cluster are followed.
    #[cfg(feature = "redis")]
    pub fn redis_client(self, client: redis::Client) -> Self {
        self.redis(client.into())
    }

    /// The hard timeout of one L2 call, which is the longest that a read waits for Redis. Default
    /// [`Node::DEFAULT_L2_TIMEOUT`]. At least a millisecond, or the node does not start: with less,
    /// no invalidation could be confirmed in time. More than a day counts as a day. Scans and
    /// replays have longer timeouts, and no read waits for them.
    pub fn l2_timeout(mut self, timeout: Duration) -> Self {
        self.l2_timeout = timeout;
        self
    }

    /// Starts the node. It tries to reach Redis once; if that fails, it runs without Redis and
    /// keeps trying. Must be called within a Tokio runtime, to which the node then belongs: see
    /// [`Node`].
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    ///
    /// # Errors
    /// If the name, the address or a setting is invalid, which the error names, or if there is an
    /// address and the feature `redis` is off. Redis being away is not an error.
    pub async fn start(self) -> Result<Node, BuildError> {
        check_name(&self.namespace)?;
        self.id.as_deref().map_or(Ok(()), check_id)?;
        BuildError::unless_a_millisecond("l2_timeout", self.l2_timeout)?;
        let connector = self.connector()?;
        let bus = match self.observes {
            true => Bus::observing(&self.namespace),
            false => Bus::new(&self.namespace),
        };
        let link =
            connector.map(|connector| Arc::new(Link::new(connector, self.l2_timeout, bus.clone())));
        let shutdown = CancellationToken::new();
        let shared = self.register(link, bus, &shutdown);
        shared.spawn_tasks().await;
        Ok(Node { shared, reaches_all: false, _end: Arc::new(shutdown.drop_guard()) })
    }

    fn has_redis(&self) -> bool {
        #[cfg(feature = "redis")]
        if self.redis.is_some() {
            return true;
        }
        self.redis_url.is_some()
    }

    fn connector(&self) -> Result<Option<Connector>, BuildError> {
        #[cfg(feature = "redis")]
        if let Some(address) = &self.redis {
            return Connector::new(address.clone()).map(Some);
        }
        self.redis_url.as_deref().map(Connector::of_url).transpose()
    }

    /// The node among those of the process. Its id is chosen in the same step, so that no other one
    /// gets the same.
    fn register(
        self,
        link: Option<Arc<Link>>,
        bus: Bus,
        shutdown: &CancellationToken,
    ) -> Arc<Shared> {
        let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
        let id = self.id.clone().unwrap_or_else(|| self.default_id(&started));
        #[cfg(feature = "fleet")]
        let presence =
            link.as_ref().filter(|_| !self.observes && !self.fleet.is_off()).map(|link| {
                let fleet = self.fleet.or_key_of_environment();
                let version = self.version.clone();
                let identity = crate::fleet::Identity { version, host: host(), ..self.identity };
                Arc::new(crate::fleet::Presence::new(link, &bus, (&id, identity), fleet))
            });
        let shared = Shared::new((id, self.version), link, bus, shutdown.clone());
        #[cfg(feature = "fleet")]
        let shared = shared.present_as(presence);
        let shared = Arc::new(shared);
        let has_same = take_note(&mut started, &shared);
        drop(started);
        if has_same {
            let (namespace, id) = (shared.namespace(), shared.id());
            let what = "this process runs two nodes of one id: reports and metrics mix them up";
            log_safely(|| tracing::warn!(namespace, id, "{what}"));
        }
        shared
    }
}

impl NodeBuilder {
    /// Of the machine and the process, and apart from those of the process's other nodes.
    fn default_id(&self, started: &[Weak<Shared>]) -> String {
        let id = format!("{}-{}", host(), std::process::id());
        let id = if self.observes { format!("observer-{id}") } else { id };
        let lives = |id: &str| {
            let mut others = started.iter().filter_map(Weak::upgrade);
            others.any(|node| {
                node.id() == id && node.namespace() == self.namespace && !node.has_ended()
            })
        };
        let others = (2..).map(|n| format!("{id}-{n}"));
        std::iter::once(id.clone()).chain(others).find(|id| !lives(id)).unwrap_or_default()
    }
}

/// Ids appear in reports, metric labels and the names of consumers in Redis.
fn check_id(id: &str) -> Result<(), BuildError> {
    if matches!(id.len(), 1..=256) {
        return Ok(());
    }
    let value = format!("a text of {} bytes", id.len());
    Err(BuildError::BadSetting { setting: "id", value, allowed: "1 to 256 bytes" })
}

/// The name of this machine or container, short enough for an id.
pub(crate) fn host() -> String {
    let of_kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let of_environment =
        || std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok();
    let named = of_kernel.or_else(of_environment).unwrap_or_default();
    let named: String = named.trim().chars().take(MAX_HOST_CHARS).collect();
    if named.is_empty() { "host".to_owned() } else { named }
}

/// Names appear in Redis keys and metric labels.
pub(crate) fn check_name(name: &str) -> Result<(), BuildError> {
    if is_name(name) { Ok(()) } else { Err(BuildError::BadName(name.to_owned())) }
}

static STARTED: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// Registers a node. Answers whether a living one has the same id in the same namespace.
fn take_note(started: &mut Vec<Weak<Shared>>, node: &Arc<Shared>) -> bool {
    let is_same = |other: &Arc<Shared>| {
        other.id() == node.id() && other.namespace() == node.namespace() && !other.has_ended()
    };
    started.retain(|other| other.strong_count() > 0);
    let has_same = started.iter().filter_map(Weak::upgrade).any(|other| is_same(&other));
    started.push(Arc::downgrade(node));
    has_same
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_address_of_redis_is_not_printed() {
        let builder = Node::builder("shop").redis_url("redis://app:very-secret@127.0.0.1");
        let printed = format!("{builder:?}");
        assert!(
            !printed.contains("very-secret") && printed.contains("has_redis: true"),
            "{printed}"
        );
    }
}
