use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use strata_cache::LogLimit;
use strata_report::{
    Alert, AlertSummary, CacheFrame, CacheReport, Frame, History, NodeReport, Point, Range,
    RangeHistory, TaskReport, Window,
};
use tokio::time::Instant;

use super::node_frames::{node_frames, node_sums};
use super::node_spans::NodeSpans;
use crate::alerts::{self, ExpectedNodes, View};
use crate::clock::{in_ms, now_ms};
use crate::history::{Histories, HistoryStep, Rings};
use crate::nodes::{AttachedReport, FleetTick, SharedReport, merged_caches, remove_name_conflicts};
use crate::redis::Census;

/// One second of a console: the frame, and the same frame as every browser gets it.
#[derive(Clone, Debug)]
pub struct Tick {
    /// The numbers.
    pub frame: Arc<Frame>,
    /// The frame as screens get it, as JSON, made once for all who read it.
    pub json: Arc<str>,
    /// Of the service's own nodes.
    pub(crate) reports: Arc<[SharedReport]>,
    pub(crate) attached: Arc<[AttachedReport]>,
    pub(crate) alerts: Arc<[Alert]>,
    /// `None` where all nodes are of this process.
    pub(crate) fleet: Option<Arc<FleetTick>>,
}

/// Turns the reports of each second into frames and history.
#[derive(Debug)]
pub(crate) struct Sampler {
    started_at_ms: u64,
    seq: u64,
    last: Option<Last>,
    pub(super) histories: Histories,
    pub(super) all: Rings,
    /// Since when an earlier dashboard's history goes, in coarse steps.
    pub(super) restored_since_ms: Option<u64>,
    known_nodes: Vec<String>,
    own_caches: HashSet<String>,
    spans: NodeSpans,
    expected: Vec<ExpectedNodes>,
    /// Of programs that were not heard here yet, and may run elsewhere.
    expected_once_heard: Vec<ExpectedNodes>,
}

/// When reports were taken: by the clock that only goes forward, and by the one on the wall.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SampleTime {
    pub(crate) at: Instant,
    pub(crate) at_ms: u64,
}

/// What nodes said for one tick.
#[derive(Debug, Default)]
pub(crate) struct Reports {
    /// The service's own.
    pub(crate) nodes: Vec<SharedReport>,
    pub(crate) attached: Vec<AttachedReport>,
    /// The program's background tasks.
    pub(crate) tasks: Vec<TaskReport>,
    /// Where the service's own are elsewhere: how they are heard.
    pub(crate) fleet: Option<FleetTick>,
    /// What those said last that are lost.
    pub(crate) lost: Vec<SharedReport>,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    nodes: Arc<[SharedReport]>,
    attached: Arc<[AttachedReport]>,
}

/// A node's report, and the one before it.
type Pair<'a> = (&'a NodeReport, &'a NodeReport);

impl SampleTime {
    pub(crate) fn now() -> Self {
        Self { at: Instant::now(), at_ms: now_ms() }
    }
}

impl Sampler {
    pub(crate) fn new(started_at_ms: u64) -> Self {
        Self {
            started_at_ms,
            seq: 0,
            last: None,
            histories: Histories::default(),
            all: Rings::default(),
            restored_since_ms: None,
            known_nodes: Vec::new(),
            own_caches: HashSet::new(),
            spans: NodeSpans::default(),
            expected: Vec::new(),
            expected_once_heard: Vec::new(),
        }
    }

    /// How many nodes there should be from now on.
    pub(crate) fn expect(&mut self, expected: Vec<ExpectedNodes>) {
        self.expected = expected;
    }

    /// The same, of each program from when a node of it is heard.
    pub(crate) fn expect_once_heard(&mut self, expected: Vec<ExpectedNodes>) {
        self.expected_once_heard = expected;
    }

    pub(crate) fn expects(&self, app: &str) -> bool {
        self.expected.iter().any(|one| one.app == app)
    }

    pub(crate) fn tick(&mut self, taken: SampleTime, heard: Reports, census: &Census) -> Tick {
        let Reports { nodes, mut attached, tasks, fleet, lost } = heard;
        self.remember_names(&nodes);
        remove_name_conflicts(&mut attached, &self.own_caches);
        let (nodes, attached) = (Arc::<[_]>::from(nodes), Arc::<[_]>::from(attached));
        let now = Last { at: taken.at, nodes: Arc::clone(&nodes), attached: Arc::clone(&attached) };
        let last = self.last.replace(now);
        let span_ms = last.as_ref().map_or(0, |last| last.span_ms(taken.at));
        // While nothing is heard there is nothing to draw, and not a nought.
        let stands_still = fleet.as_ref().is_some_and(FleetTick::stands_still);
        let span_ms = if stands_still { 0 } else { span_ms };
        if let Some(fleet) = &fleet {
            self.spans.take(&nodes, taken.at);
            let is_heard = |one: &mut ExpectedNodes| fleet.has_app(&one.app);
            self.expected.extend(self.expected_once_heard.extract_if(.., is_heard));
        }
        let tick = Point { at_ms: taken.at_ms, span_ms, ..Point::default() };
        let pairs = match (&fleet, &last) {
            (None, Some(last)) => last.pairs(&nodes),
            _ => Vec::new(),
        };
        let mut sum = HistoryStep::empty(tick);
        let mut caches = Vec::new();
        for report in merged_caches(nodes.iter().map(|report| &**report)) {
            let mut frame = CacheFrame { report, ..CacheFrame::default() };
            census.fill(&mut frame);
            let cache = &frame.report.cache;
            let window = match &fleet {
                Some(_) => self.spans.window(cache, span_ms),
                None => window(&pairs, cache, span_ms),
            };
            sum.add_cache(&self.histories.add(&mut frame, window, tick));
            caches.push(frame);
        }
        if span_ms > 0 {
            self.all.push(&sum);
        }
        self.seq += 1;
        let mut frame = Frame {
            seq: self.seq,
            at_ms: taken.at_ms,
            started_at_ms: self.started_at_ms,
            nodes: node_frames(last.as_ref().map_or(&[], |last| &last.nodes), &nodes),
            node_sums: node_sums(&nodes),
            caches,
            redis: census.redis(&nodes),
            point: sum.point,
            alerts: AlertSummary::default(),
            fleet: fleet.as_ref().map(|fleet| fleet.sums.clone()),
        };
        // The lints see the service alone.
        let alerts = self.alerts(&frame, (&nodes, &tasks), fleet.as_ref());
        frame.alerts = AlertSummary::of(&alerts);
        let pairs =
            attached.iter().filter_map(|attached| attached_pair(last.as_ref(), attached)).collect();
        frame.caches.extend(self.attached_caches(&attached, pairs, (tick, census)));
        if let Some(fleet) = &fleet {
            frame.caches.extend(frozen_caches(&frame, &lost, fleet));
        }
        let fleet = fleet.map(Arc::new);
        Tick { fleet, ..Tick::new(frame, (nodes, attached), alerts) }
    }

    fn attached_caches(
        &mut self,
        attached: &[AttachedReport],
        pairs: Vec<Pair<'_>>,
        (tick, census): (Point, &Census),
    ) -> Vec<CacheFrame> {
        let mut caches = Vec::new();
        for report in merged_caches(attached.iter().map(|attached| &*attached.report)) {
            let mut frame = CacheFrame { report, attached: true, ..CacheFrame::default() };
            census.fill(&mut frame);
            let window = window(&pairs, &frame.report.cache, tick.span_ms);
            self.histories.add(&mut frame, window, tick);
            caches.push(frame);
        }
        self.histories.retain_attached(&caches);
        caches
    }

    fn remember_names(&mut self, nodes: &[SharedReport]) {
        for node in nodes {
            // Those that run elsewhere come and go.
            if node.run.is_empty() && !self.known_nodes.contains(&node.node) {
                self.known_nodes.push(node.node.clone());
            }
            for cache in &node.caches {
                if !self.own_caches.contains(&cache.cache) {
                    self.own_caches.insert(cache.cache.clone());
                }
            }
        }
    }

    fn alerts(
        &self,
        frame: &Frame,
        (nodes, tasks): (&[SharedReport], &[TaskReport]),
        fleet: Option<&FleetTick>,
    ) -> Vec<Alert> {
        let (known_nodes, minutes) = (&self.known_nodes, |cache: &str| self.histories.chart(cache));
        let expected = &self.expected;
        let minutes = &minutes;
        let nodes: &Vec<&NodeReport> = &nodes.iter().map(|report| &**report).collect();
        alerts::all(&View { frame, nodes, tasks, known_nodes, minutes, fleet, expected })
    }

    /// Every cache that a node of the service itself had.
    pub(crate) fn own_caches(&self) -> &HashSet<String> {
        &self.own_caches
    }

    /// The last minutes of all caches together.
    pub(crate) fn chart(&self) -> History {
        self.all.chart()
    }

    /// All caches together over a range.
    pub(crate) fn range(&self, range: Range) -> RangeHistory {
        RangeHistory { since_ms: self.since_ms(range), ..self.all.range(range) }
    }

    /// One cache over a range.
    pub(crate) fn cache_range(&self, cache: &str, range: Range) -> RangeHistory {
        self.histories.range(cache, range, self.since_ms(range))
    }

    /// Since when something is known.
    fn since_ms(&self, range: Range) -> u64 {
        match (range, self.restored_since_ms) {
            (Range::Day, Some(since_ms)) => since_ms.min(self.started_at_ms),
            _ => self.started_at_ms,
        }
    }
}

impl Last {
    // Measured, because a busy machine ticks late.
    fn span_ms(&self, at: Instant) -> u64 {
        in_ms(at.saturating_duration_since(self.at))
    }

    fn pairs<'a>(&'a self, now: &'a [SharedReport]) -> Vec<Pair<'a>> {
        let last: HashMap<&str, &NodeReport> =
            self.nodes.iter().map(|last| (&*last.node, &**last)).collect();
        let pair = |now: &'a SharedReport| Some((*last.get(&*now.node)?, &**now));
        now.iter().filter_map(pair).collect()
    }
}

/// The caches that lost nodes alone have, as these said last.
fn frozen_caches(frame: &Frame, lost: &[SharedReport], fleet: &FleetTick) -> Vec<CacheFrame> {
    let is_heard = |cache: &str| frame.caches.iter().any(|known| known.report.cache == cache);
    let frozen = merged_caches(lost.iter().map(|report| &**report))
        .into_iter()
        .filter(|report| !is_heard(&report.cache));
    let frozen = frozen.map(|report| {
        let has_it = |node: &&SharedReport| cache_of(node, &report.cache).is_some();
        let heard = lost.iter().filter(has_it).filter_map(|node| fleet.presence(&node.node));
        let frozen_ms = heard.map(|presence| presence.heard_ms_ago).min();
        CacheFrame { frozen_ms: frozen_ms.or(Some(0)), report, ..CacheFrame::default() }
    });
    frozen.collect()
}

/// A node that has just been attached is counted from then on.
fn attached_pair<'a>(last: Option<&'a Last>, attached: &'a AttachedReport) -> Option<Pair<'a>> {
    let same = |last: &'a Last| last.attached.iter().find(|last| last.number == attached.number);
    let earlier = last.and_then(same).map(|last| &last.report).or(attached.first.as_ref())?;
    Some((&**earlier, &*attached.report))
}

/// With each frame, once a second.
static NOT_SERIALISED: LogLimit = LogLimit::new();

impl Tick {
    fn new(
        frame: Frame,
        (reports, attached): (Arc<[SharedReport]>, Arc<[AttachedReport]>),
        alerts: Vec<Alert>,
    ) -> Self {
        let json = serde_json::to_string(&frame.for_screens()).unwrap_or_else(|error| {
            if let Some(times) = NOT_SERIALISED.due() {
                tracing::error!(%error, times, "failed to serialise a frame");
            }
            "null".to_owned()
        });
        Self {
            frame: Arc::new(frame),
            json: json.into(),
            reports,
            attached,
            alerts: alerts.into(),
            fleet: None,
        }
    }
}

/// What happened to a cache since the last tick. Differences are taken node by node, so that one
/// that starts over does not hide what the others did.
fn window(pairs: &[Pair<'_>], cache: &str, span_ms: u64) -> Window {
    let mut sum = Window { span_ms, ..Window::default() };
    for (last, now) in pairs {
        let Some(later) = cache_of(now, cache) else {
            continue;
        };
        let same_run = last.started_at_ms == now.started_at_ms;
        let earlier = cache_of(last, cache).filter(|_| same_run);
        let zeros = CacheReport::default();
        sum.merge(&Window::between(earlier.unwrap_or(&zeros), later, span_ms));
    }
    sum
}

fn cache_of<'a>(report: &'a NodeReport, cache: &str) -> Option<&'a CacheReport> {
    report.caches.iter().find(|report| report.cache == cache)
}
