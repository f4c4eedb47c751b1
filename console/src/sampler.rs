use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use strata_report::{
    Alert, AlertsHead, CacheFrame, CacheReport, Frame, History, NodeFrame, NodeReport, Past, Point,
    Range, Window,
};
use tokio::time::Instant;

use crate::alerts::{self, View};
use crate::census::Census;
use crate::clock::now_ms;
use crate::history::Rings;
use crate::kept::Kept;

const RECENT_MS: u64 = 10_000;

/// One second of a console: the frame, and the same frame as every browser gets it.
#[derive(Clone, Debug)]
pub struct Tick {
    /// The numbers.
    pub frame: Arc<Frame>,
    /// The frame as screens get it, as JSON, made once for all who read it.
    pub json: Arc<str>,
    pub(crate) reports: Arc<[NodeReport]>,
    pub(crate) alerts: Arc<[Alert]>,
}

/// Turns the reports of each second into frames and history.
#[derive(Debug)]
pub(crate) struct Sampler {
    started_at_ms: u64,
    seq: u64,
    last: Option<(Instant, Arc<[NodeReport]>)>,
    recent: HashMap<String, VecDeque<Window>>,
    rings: HashMap<String, Rings>,
    all: Rings,
    known_nodes: Vec<String>,
}

/// When reports were taken: by the clock that only goes forward, and by the one on the wall.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) at: Instant,
    pub(crate) at_ms: u64,
}

impl Taken {
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
            recent: HashMap::new(),
            rings: HashMap::new(),
            all: Rings::default(),
            known_nodes: Vec::new(),
        }
    }

    pub(crate) fn tick(&mut self, taken: Taken, reports: Vec<NodeReport>, census: &Census) -> Tick {
        let reports: Arc<[NodeReport]> = reports.into();
        let span_ms = self.span_ms(taken);
        let tick = Point { at_ms: taken.at_ms, span_ms, ..Point::default() };
        let mut sum = Kept::empty(tick);
        let mut caches = Vec::new();
        for report in merged(&reports) {
            let window = self.window(&report.cache, &reports, span_ms);
            let (outcomes, evictions) = (window.outcomes, window.evictions);
            let mut frame = CacheFrame { report, ..CacheFrame::default() };
            census.fill(&mut frame);
            let kept = Kept::new(Point { outcomes, evictions, ..tick }, &window, &frame);
            sum.add_cache(&kept);
            if span_ms > 0 {
                self.rings.entry(frame.report.cache.clone()).or_default().push(&kept);
            }
            frame.recent = self.recent(&frame.report.cache, window);
            caches.push(frame);
        }
        if span_ms > 0 {
            self.all.push(&sum);
        }
        self.seq += 1;
        self.last = Some((taken.at, Arc::clone(&reports)));
        let mut frame = Frame {
            seq: self.seq,
            at_ms: taken.at_ms,
            started_at_ms: self.started_at_ms,
            nodes: reports.iter().map(node_frame).collect(),
            caches,
            redis: census.redis(&reports),
            point: sum.point,
            alerts: AlertsHead::default(),
        };
        let alerts = self.alerts(&frame, &reports);
        frame.alerts = AlertsHead::of(&alerts);
        Tick::new(frame, reports, alerts)
    }

    fn alerts(&mut self, frame: &Frame, nodes: &[NodeReport]) -> Vec<Alert> {
        for node in nodes {
            if !self.known_nodes.contains(&node.node) {
                self.known_nodes.push(node.node.clone());
            }
        }
        let minutes = |cache: &str| {
            self.rings.get(cache).map(|rings| rings.chart().points).unwrap_or_default()
        };
        let known_nodes = &self.known_nodes;
        alerts::all(&View { frame, nodes, known_nodes, minutes: &minutes })
    }

    /// The last minutes of all caches together.
    pub(crate) fn chart(&self) -> History {
        self.all.chart()
    }

    /// All caches together over a range.
    pub(crate) fn past(&self, range: Range) -> Past {
        Past { since_ms: self.started_at_ms, ..self.all.past(range) }
    }

    /// One cache over a range.
    pub(crate) fn past_of(&self, cache: &str, range: Range) -> Past {
        let past = self.rings.get(cache).map(|rings| rings.past(range));
        let past = past.unwrap_or_else(|| Rings::default().past(range));
        Past { since_ms: self.started_at_ms, ..past }
    }

    // Measured, because a busy machine ticks late.
    fn span_ms(&self, taken: Taken) -> u64 {
        let span = self.last.as_ref().map(|(at, _)| taken.at.saturating_duration_since(*at));
        span.map_or(0, |span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
    }

    /// What happened to a cache since the last tick. Differences are taken node by node, so that
    /// one that starts over does not hide what the others did.
    fn window(&self, cache: &str, reports: &[NodeReport], span_ms: u64) -> Window {
        let mut sum = Window { span_ms, ..Window::default() };
        for report in reports {
            let Some(later) = cache_of(report, cache) else {
                continue;
            };
            let Some(last) = self.last_report(&report.node) else {
                continue;
            };
            let same_run = last.started_at_ms == report.started_at_ms;
            let earlier = cache_of(last, cache).filter(|_| same_run);
            let zeros = CacheReport::default();
            sum.merge(&Window::between(earlier.unwrap_or(&zeros), later, span_ms));
        }
        sum
    }

    fn last_report(&self, node: &str) -> Option<&NodeReport> {
        let (_, reports) = self.last.as_ref()?;
        reports.iter().find(|report| report.node == node)
    }

    fn recent(&mut self, cache: &str, newest: Window) -> Window {
        let windows = self.recent.entry(cache.to_owned()).or_default();
        windows.push_back(newest);
        let mut span_ms: u64 = windows.iter().map(|window| window.span_ms).sum();
        while let Some(oldest) = windows.pop_front_if(|w| span_ms - w.span_ms >= RECENT_MS) {
            span_ms -= oldest.span_ms;
        }
        let mut sum = Window::default();
        windows.iter().for_each(|window| sum.merge(window));
        Window { span_ms, ..sum }
    }
}

impl Tick {
    fn new(frame: Frame, reports: Arc<[NodeReport]>, alerts: Vec<Alert>) -> Self {
        let json = serde_json::to_string(&frame.for_screens()).unwrap_or_else(|error| {
            tracing::error!(%error, "failed to serialise a frame");
            "null".to_owned()
        });
        Self { frame: Arc::new(frame), json: json.into(), reports, alerts: alerts.into() }
    }
}

/// Every cache once, its nodes added up, in the order in which they were built.
fn merged(reports: &[NodeReport]) -> Vec<CacheReport> {
    let mut sums: Vec<CacheReport> = Vec::new();
    for report in reports.iter().flat_map(|node| &node.caches) {
        match sums.iter_mut().find(|sum| sum.cache == report.cache) {
            Some(sum) => sum.merge(report),
            None => sums.push(report.clone()),
        }
    }
    sums
}

fn cache_of<'a>(report: &'a NodeReport, cache: &str) -> Option<&'a CacheReport> {
    report.caches.iter().find(|report| report.cache == cache)
}

fn node_frame(report: &NodeReport) -> NodeFrame {
    NodeFrame {
        node: report.node.clone(),
        version: report.version.clone(),
        started_at_ms: report.started_at_ms,
        bus: report.bus.clone(),
        l2: report.l2.clone(),
    }
}
