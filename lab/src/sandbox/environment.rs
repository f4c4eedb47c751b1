use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use strata_cache::{BuildError, Fleet, Node, RedisAddress};

use crate::redis_proxy::{KeyNames, RedisProxy, TapTarget};
use crate::trace::Trace;

/// Where a sandbox runs.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) namespace: String,
    pub(crate) redis_url: Option<String>,
    /// What the address does not say itself.
    pub(crate) redis: Option<RedisAddress>,
    /// The name of its cache, used by this sandbox alone.
    pub(crate) cache: String,
    pub(crate) on_node: OnNode,
}

/// Called with each node that starts. What it returns is kept as long as the node.
pub type OnNode = Arc<dyn Fn(&Node) -> Box<dyn Any + Send + Sync> + Send + Sync>;

const ERASE_ROUNDS: usize = 8;
const ERASE_PAUSE: Duration = Duration::from_millis(20);

impl Environment {
    pub(crate) async fn node(
        &self,
        id: &str,
        redis: Option<RedisAddress>,
        l2_timeout: Duration,
    ) -> Result<Node, BuildError> {
        // No service: no console elsewhere lists it, and its commands are those of the lesson.
        let builder = Node::builder(&self.namespace).fleet(Fleet::off());
        let mut builder = builder.id(id).l2_timeout(l2_timeout);
        if let Some(redis) = redis {
            builder = builder.redis(redis);
        }
        builder.start().await
    }

    /// Where nodes find Redis, if there is one.
    pub(crate) fn redis(&self) -> Result<Option<RedisAddress>, BuildError> {
        let read = |url: &String| RedisAddress::parse(url);
        match &self.redis {
            Some(redis) => Ok(Some(redis.clone())),
            None => self.redis_url.as_ref().map(read).transpose(),
        }
    }

    /// Removes every key. Where Redis is away keys remain.
    // A command that a node had sent just before it ended may arrive after the first round.
    pub(crate) async fn erase(&self, outsider: &Node) {
        for _ in 0..ERASE_ROUNDS {
            match outsider.erase_namespace().await {
                Some(0) => return,
                Some(_) => tokio::time::sleep(ERASE_PAUSE).await,
                None => break,
            }
        }
        tracing::warn!(namespace = self.namespace, "keys of an experiment may remain");
    }

    /// One proxy before each node. They write the commands that pass into the trace.
    pub(crate) fn proxies(&self, n_nodes: usize, trace: &Trace) -> Vec<RedisProxy> {
        let Some(url) = &self.redis_url else { return Vec::new() };
        let socket = |node: usize| {
            std::env::temp_dir().join(format!("strata-{}-{node}.sock", self.namespace))
        };
        let names = KeyNames::of(&self.namespace);
        let target = |node| TapTarget { node, names: names.clone(), trace: trace.clone() };
        let proxies =
            (1..=n_nodes).map(|node| RedisProxy::before(url, &socket(node), target(node)));
        proxies.collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}
