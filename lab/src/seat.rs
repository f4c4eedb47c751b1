use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use strata_cache::{BuildError, Cache, Node};
use strata_demo::Item;

use super::asked::Names;
use super::heard::Listener;
use super::trace::Trace;
use super::wire::Wire;
use super::{PlainRedis, PlayError, Stage};
use crate::strategies::{Strategy, Surroundings};

/// Where a stage is set.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) namespace: String,
    pub(super) redis_url: Option<String>,
    /// The name of its cache, which nobody else uses.
    pub(super) cache: String,
    pub(super) on_node: OnNode,
}

/// Told of each node that starts; what it answers is kept as long as the node is.
pub type OnNode = Arc<dyn Fn(&Node) -> Box<dyn Any + Send + Sync> + Send + Sync>;

/// One node of a stage, and the strategy at work on it.
#[derive(Clone)]
pub(super) struct Seat {
    /// Of the node, from 1.
    pub(super) number: usize,
    pub(super) node: Node,
    pub(super) strategy: Strategy,
    _told: Arc<dyn Any + Send + Sync>,
}

/// Many experiments share few processors, and a timeout would tell of the machine alone.
pub(super) const L2_TIMEOUT: Duration = Duration::from_secs(2);
const LEASE_WAIT: Duration = Duration::from_secs(10);
// Somebody who goes step by step may think for minutes while a load is held up.
const LOAD_TIMEOUT: Duration = Duration::from_secs(20 * 60);
const ERASE_ROUNDS: usize = 8;
const ERASE_PAUSE: Duration = Duration::from_millis(20);

impl Stage {
    pub(super) async fn seat_node(&self, number: usize) -> Result<Seat, PlayError> {
        let wire = self.wires.get(number.wrapping_sub(1));
        let url = wire.map(Wire::url).or(self.place.redis_url.as_deref());
        let l2_timeout = Duration::from_millis(self.settings.l2_timeout_ms);
        let node = self.place.node(&number.to_string(), url, l2_timeout).await?;
        let strategy = self.strategy_on(&node, wire);
        let strategy = strategy.inspect_err(|_| drop(node.shutdown()))?;
        let told = (self.place.on_node)(&node).into();
        Ok(Seat { number, node, strategy, _told: told })
    }

    fn strategy_on(&self, node: &Node, wire: Option<&Wire>) -> Result<Strategy, PlayError> {
        let (cache, redis) = (self.cache(node)?, self.plain_redis(node, wire)?);
        let surroundings = Surroundings {
            node: node.clone(),
            cache,
            source: self.source.clone(),
            redis,
            l1_entries: self.settings.l1_entries,
            channel: self.air.channel(wire.map(Wire::condition)),
            flush_every: Duration::from_millis(self.settings.flush_every_ms),
        };
        Strategy::build(self.kind, surroundings)?.ok_or(PlayError::NeedsRedis)
    }

    // Keys beside the cache's where a strategy keeps L2 itself; otherwise the cache's own, which a
    // node does not hand out.
    fn plain_redis(
        &self,
        node: &Node,
        wire: Option<&Wire>,
    ) -> Result<Option<PlainRedis>, BuildError> {
        let Some(outsider) = &self.outsider else { return Ok(None) };
        let name = &self.place.cache;
        let (keys, wire) = match self.kind.has_l2_by_hand() {
            true => (node.structures(&format!("{name}-l2"))?, wire),
            false => (outsider.structures(name)?, None),
        };
        let time_to_live = Duration::from_millis(self.settings.l2_time_to_live_ms);
        let trace = if wire.is_some() { None } else { Some(self.trace.clone()) };
        let holds = self.source.holds().clone();
        Ok(Some(PlainRedis { keys, time_to_live, holds, trace }))
    }

    fn cache(&self, node: &Node) -> Result<Cache<u64, Item>, BuildError> {
        let settings = &self.settings;
        let mut builder = Cache::<u64, Item>::builder(&self.place.cache)
            .l1_entries(settings.l1_entries)
            .time_to_live(Duration::from_millis(settings.time_to_live_ms))
            .l2_time_to_live(Duration::from_millis(settings.l2_time_to_live_ms))
            .negative_time_to_live(Duration::from_millis(settings.negative_time_to_live_ms))
            .jitter(settings.jitter)
            .grace(Duration::from_millis(settings.grace_ms))
            .refresh_ahead(settings.refresh_ahead)
            .lease_wait(LEASE_WAIT)
            .load_timeout(LOAD_TIMEOUT);
        if settings.l1_bytes > 0 {
            builder = builder.l1_weight(settings.l1_bytes, |_, item: &Item| item.weight());
        }
        if settings.time_to_idle_ms > 0 {
            builder = builder.time_to_idle(Duration::from_millis(settings.time_to_idle_ms));
        }
        if self.kind.has_l2_by_hand() {
            builder = builder.l1_only();
        }
        builder.build(node)
    }
}

impl Place {
    pub(super) async fn node(
        &self,
        id: &str,
        redis_url: Option<&str>,
        l2_timeout: Duration,
    ) -> Result<Node, BuildError> {
        // No service: nobody elsewhere is to see it, and its commands are those of the lesson.
        let builder = Node::builder(&self.namespace).fleet(strata_cache::Fleet::off());
        let mut builder = builder.id(id).l2_timeout(l2_timeout);
        if let Some(url) = redis_url {
            builder = builder.redis_url(url);
        }
        builder.start().await
    }

    /// Removes every key. Where Redis is away keys remain.
    // A command that a node had sent just before it ended may arrive after the first round.
    pub(super) async fn erase(&self, outsider: &Node) {
        for _ in 0..ERASE_ROUNDS {
            match outsider.erase_namespace().await {
                Some(0) => return,
                Some(_) => tokio::time::sleep(ERASE_PAUSE).await,
                None => break,
            }
        }
        tracing::warn!(namespace = self.namespace, "keys of an experiment may remain");
    }

    /// One before each node; what passes on them is told to the trace.
    pub(super) fn wires(&self, n_nodes: usize, trace: &Trace) -> Vec<Wire> {
        let Some(url) = &self.redis_url else { return Vec::new() };
        let socket = |node: usize| {
            std::env::temp_dir().join(format!("strata-{}-{node}.sock", self.namespace))
        };
        let names = Names::of(&self.namespace);
        let listener = |node| Listener { node, names: names.clone(), trace: trace.clone() };
        let wires = (1..=n_nodes).map(|node| Wire::before(url, &socket(node), listener(node)));
        wires.collect::<Option<Vec<_>>>().unwrap_or_default()
    }
}
