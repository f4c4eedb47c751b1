use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use strata_cache::{BuildError, Cache, Node, RedisAddress};
use strata_demo::Item;

use super::error::SandboxError;
use super::lifecycle::Sandbox;
use crate::redis_proxy::RedisProxy;
use crate::stack::PlainRedis;
use crate::strategies::{Strategy, StrategyContext};

/// One node of a sandbox, and the strategy at work on it.
#[derive(Clone)]
pub(crate) struct SandboxNode {
    /// Of the node, from 1.
    pub(crate) number: usize,
    pub(crate) node: Node,
    pub(crate) strategy: Strategy,
    _told: Arc<dyn Any + Send + Sync>,
}

/// Many experiments share few processors, and a timeout would tell of the machine alone.
pub(crate) const L2_TIMEOUT: Duration = Duration::from_secs(2);
const LEASE_WAIT: Duration = Duration::from_secs(10);
// A person going step by step may think for minutes while a load is held up.
const LOAD_TIMEOUT: Duration = Duration::from_secs(20 * 60);
impl Sandbox {
    pub(crate) async fn start_node(&self, number: usize) -> Result<SandboxNode, SandboxError> {
        let proxy = self.proxies.get(number.wrapping_sub(1));
        let redis = self.environment.redis()?;
        let redis = match (proxy, redis) {
            (Some(proxy), Some(redis)) => Some(RedisAddress::parse(proxy.url())?.login_of(&redis)),
            (_, redis) => redis,
        };
        let l2_timeout = Duration::from_millis(self.settings.l2_timeout_ms);
        let node = self.environment.node(&number.to_string(), redis, l2_timeout).await?;
        let strategy = self.strategy_on(&node, proxy);
        let strategy = strategy.inspect_err(|_| drop(node.shutdown()))?;
        let told = (self.environment.on_node)(&node).into();
        Ok(SandboxNode { number, node, strategy, _told: told })
    }

    fn strategy_on(
        &self,
        node: &Node,
        proxy: Option<&RedisProxy>,
    ) -> Result<Strategy, SandboxError> {
        let (cache, redis) = (self.cache(node)?, self.plain_redis(node, proxy)?);
        let surroundings = StrategyContext {
            node: node.clone(),
            cache,
            source: self.source.clone(),
            redis,
            l1_entries: self.settings.l1_entries,
            channel: self.channels.channel(proxy.map(RedisProxy::condition)),
            flush_every: Duration::from_millis(self.settings.flush_every_ms),
        };
        Strategy::build(self.kind, surroundings)?.ok_or(SandboxError::NeedsRedis)
    }

    // Keys beside the cache's where a strategy keeps L2 itself; otherwise the cache's own, which a
    // node does not hand out.
    fn plain_redis(
        &self,
        node: &Node,
        proxy: Option<&RedisProxy>,
    ) -> Result<Option<PlainRedis>, BuildError> {
        let Some(outsider) = &self.outsider else { return Ok(None) };
        let name = &self.environment.cache;
        let (keys, proxy) = match self.kind.has_l2_by_hand() {
            true => (node.structures(&format!("{name}-l2"))?, proxy),
            false => (outsider.structures(name)?, None),
        };
        let time_to_live = Duration::from_millis(self.settings.l2_time_to_live_ms);
        let trace = if proxy.is_some() { None } else { Some(self.trace.clone()) };
        let call_gates = self.source.call_gates().clone();
        Ok(Some(PlainRedis { keys, time_to_live, call_gates, trace }))
    }

    fn cache(&self, node: &Node) -> Result<Cache<u64, Item>, BuildError> {
        let settings = &self.settings;
        let mut builder = Cache::<u64, Item>::builder(&self.environment.cache)
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

impl Sandbox {
    /// About as many bytes as the items in L1 take, all nodes together.
    pub(crate) fn l1_bytes(&self) -> u64 {
        let n_entries: u64 = self.live_nodes().iter().map(SandboxNode::n_entries).sum();
        n_entries * (size_of::<Item>() + self.settings.item_bytes) as u64
    }
}

impl SandboxNode {
    fn n_entries(&self) -> u64 {
        let in_caches = || self.node.report().caches.iter().map(|cache| cache.l1.entries).sum();
        self.strategy.n_entries().unwrap_or_else(in_caches)
    }
}
