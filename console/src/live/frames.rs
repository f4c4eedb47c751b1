use std::collections::HashSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use strata_report::{
    Alert, CacheFrame, Frame, L2Report, NodeReport, PresenceState, RedisState, Snapshot,
};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::sampler::{Reports, SampleTime, Sampler, Tick};
use crate::clock::now_ms;
use crate::console::Console;
use crate::error::ConsoleError;
use crate::nodes::{NodeClient, SharedReport, report_of};

const TICK: Duration = Duration::from_secs(1);

impl Console {
    /// The newest frame.
    pub fn frame(&self) -> Arc<Frame> {
        self.inner.census.look();
        Arc::clone(&self.tick().frame)
    }

    /// The newest frame, for those who pass by: their interest alone makes nobody count keys.
    pub fn glance(&self) -> Arc<Frame> {
        Arc::clone(&self.tick().frame)
    }

    /// Whether anybody follows its ticks.
    pub fn is_followed(&self) -> bool {
        self.inner.ticks.receiver_count() > 0
    }

    /// Redis as in the newest frame, for those who do not look: its keys need not be counted.
    pub fn redis_state(&self) -> RedisState {
        self.tick().frame.redis.clone()
    }

    /// Whether nodes of this program or namespace are expected here: fewer are an alert of its own.
    pub fn expects(&self, app: &str) -> bool {
        self.sampler().expects(app)
    }

    /// The console's own way to Redis, where all nodes are elsewhere.
    pub fn own_l2(&self) -> Option<L2Report> {
        self.inner.nodes.observer_report().map(|report| report.l2)
    }

    /// All that a page needs to be up to date. Frame and history are of the same second.
    pub fn snapshot(&self) -> Snapshot {
        // The sampler sends its tick before it is unlocked, so the two belong together.
        let sampler = self.sampler();
        Snapshot { frame: self.frame().for_screens(), history: sampler.chart() }
    }

    /// Each second's tick. A reader that is too slow misses ticks, never blocks them.
    pub fn subscribe(&self) -> watch::Receiver<Arc<Tick>> {
        self.inner.census.look();
        self.inner.ticks.subscribe()
    }

    /// Every node of the service as it reported for the newest frame.
    pub fn nodes(&self) -> Vec<NodeReport> {
        self.tick().reports.iter().map(|report| (**report).clone()).collect()
    }

    /// The nodes that this program stands for: where some are of its process, those alone. The others
    /// answer for themselves.
    pub fn own_reports(&self) -> Vec<SharedReport> {
        let all = self.inner.nodes.has_both();
        let is_own = |report: &&SharedReport| !all || self.inner.nodes.is_here(&report.node);
        self.tick().reports.iter().filter(is_own).cloned().collect()
    }

    /// The same without copying them.
    pub fn reports(&self) -> Vec<SharedReport> {
        self.tick().reports.to_vec()
    }

    /// Every cache in the newest frame, those of attached nodes too.
    pub fn caches(&self) -> Vec<CacheFrame> {
        self.frame().caches.clone()
    }

    /// One cache in the newest frame.
    ///
    /// # Errors
    /// [`ConsoleError::UnknownCache`].
    pub fn cache(&self, name: &str) -> Result<CacheFrame, ConsoleError> {
        let frame = self.frame();
        let cache = frame.caches.iter().find(|cache| cache.report.cache == name);
        cache.cloned().ok_or_else(|| ConsoleError::unknown_cache(name))
    }

    /// What an operator should look at, as of the newest frame, worst first.
    pub fn alerts(&self) -> Vec<Alert> {
        let mut alerts = self.tick().alerts.to_vec();
        let tasks = self.tasks();
        // The sampler makes the alerts, so it cannot report its own end.
        if let Some(sampler) = tasks.iter().find(|task| task.task == "sampler" && !task.runs()) {
            let told = crate::alerts::program_alerts(std::slice::from_ref(sampler), now_ms());
            alerts.splice(0..0, told);
        }
        alerts
    }

    pub(crate) fn tick(&self) -> Arc<Tick> {
        Arc::clone(&self.inner.ticks.borrow())
    }

    /// Takes notice of what changed since `earlier`.
    pub(crate) fn notice(&self, earlier: Option<&Tick>) {
        let tick = self.tick();
        self.feed(earlier, &tick);
        let mut seen = self.inner.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for report in tick.reports.iter() {
            seen.insert(report.node.clone(), report.clone());
        }
        if let Some(fleet) = &tick.fleet {
            // One that has left is gone at once; one that is lost stays as it was last.
            let is_lost = |node: &str| {
                let presence = fleet.presence(node);
                presence.is_some_and(|presence| presence.state == PresenceState::Lost)
            };
            let heard: HashSet<&str> = tick.reports.iter().map(|report| &*report.node).collect();
            // While others are not read, nobody knows whether they have left.
            let is_known = |node: &str| is_lost(node) || !fleet.hears_others();
            seen.retain(|node, _| heard.contains(&**node) || is_known(node));
        }
    }

    pub(crate) fn sampler(&self) -> MutexGuard<'_, Sampler> {
        self.inner.sampler.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn sample(self) {
        let mut ticks = interval_at(Instant::now() + TICK, TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let heard = Reports {
                nodes: reports_of(&self.inner.nodes.all()),
                fleet: self.inner.nodes.fleet_tick(),
                attached: self.inner.attached.reports(),
                tasks: self.tasks(),
                lost: self.inner.nodes.lost(),
            };
            let earlier = self.tick();
            {
                let mut sampler = self.sampler();
                let tick = sampler.tick(SampleTime::now(), heard, &self.inner.census);
                self.inner.ticks.send_replace(Arc::new(tick));
            }
            self.notice(Some(&earlier));
            self.settle_queued();
            self.inner.searches.forget();
        }
    }
}

pub(crate) fn reports_of(nodes: &[Arc<dyn NodeClient>]) -> Vec<SharedReport> {
    nodes.iter().filter_map(|node| report_of(&**node)).collect()
}
