use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use strata_report::{
    CacheFrame, CacheReport, Frame, History, NodeFrame, NodeReport, Point, Window,
};
use tokio::time::Instant;

use crate::census::Census;
use crate::clock::now_ms;
use crate::history::Past;

const RECENT_MS: u64 = 10_000;

/// One second of a console: the frame, and the same frame as every browser gets it.
#[derive(Clone, Debug)]
pub struct Tick {
    /// The numbers.
    pub frame: Arc<Frame>,
    /// The frame as screens get it, as JSON, made once for all who read it.
    pub json: Arc<str>,
    pub(crate) reports: Arc<[NodeReport]>,
}

/// Turns the reports of each second into frames and history.
#[derive(Debug)]
pub(crate) struct Sampler {
    started_at_ms: u64,
    seq: u64,
    last: Option<(Instant, Arc<[NodeReport]>)>,
    recent: HashMap<String, VecDeque<Window>>,
    pasts: HashMap<String, Past>,
    past: Past,
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
            pasts: HashMap::new(),
            past: Past::default(),
        }
    }

    pub(crate) fn tick(&mut self, taken: Taken, reports: Vec<NodeReport>, census: &Census) -> Tick {
        let reports: Arc<[NodeReport]> = reports.into();
        let span_ms = self.span_ms(taken);
        let mut sum = Point { at_ms: taken.at_ms, span_ms, ..Point::default() };
        let mut caches = Vec::new();
        for report in merged(&reports) {
            let window = self.window(&report.cache, &reports, span_ms);
            let point = Point {
                outcomes: window.outcomes,
                evictions: window.evictions,
                ..Point { at_ms: taken.at_ms, span_ms, ..Point::default() }
            };
            sum.merge(&point);
            if span_ms > 0 {
                self.pasts.entry(report.cache.clone()).or_default().push(&point);
            }
            let recent = self.recent(&report.cache, window);
            let mut frame = CacheFrame { report, recent, ..CacheFrame::default() };
            census.fill(&mut frame);
            caches.push(frame);
        }
        if span_ms > 0 {
            self.past.push(&sum);
        }
        self.seq += 1;
        self.last = Some((taken.at, Arc::clone(&reports)));
        Tick::new(
            Frame {
                seq: self.seq,
                at_ms: taken.at_ms,
                started_at_ms: self.started_at_ms,
                nodes: reports.iter().map(node_frame).collect(),
                caches,
                redis: census.redis(&reports),
                point: sum,
            },
            reports,
        )
    }

    /// The last minutes of all caches together.
    pub(crate) fn history(&self) -> History {
        self.past.chart()
    }

    /// The last minutes of one cache.
    pub(crate) fn history_of(&self, cache: &str) -> History {
        self.pasts.get(cache).map_or_else(|| Past::default().chart(), Past::chart)
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
    fn new(frame: Frame, reports: Arc<[NodeReport]>) -> Self {
        let json = serde_json::to_string(&frame.for_screens()).unwrap_or_else(|error| {
            tracing::error!(%error, "failed to serialise a frame");
            "null".to_owned()
        });
        Self { frame: Arc::new(frame), json: json.into(), reports }
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
