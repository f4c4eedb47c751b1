use std::collections::{BTreeMap, HashMap, VecDeque};

use strata_report::{CacheFrame, Point, Range, RangeHistory, Window};

use super::rings::Rings;
use super::step::HistoryStep;

const RECENT_MS: u64 = 10_000;

/// The history of every cache that has one.
#[derive(Debug, Default)]
pub(crate) struct Histories {
    by_cache: HashMap<String, CacheHistory>,
}

#[derive(Debug, Default)]
struct CacheHistory {
    /// Since when a cache of attached nodes is kept; `None` for one of the service's own.
    attached_since_ms: Option<u64>,
    recent: VecDeque<Window>,
    rings: Rings,
}

impl Histories {
    /// Adds what happened to a cache in a tick; its frame then shows the last seconds.
    pub(crate) fn add(
        &mut self,
        frame: &mut CacheFrame,
        window: Window,
        tick: Point,
    ) -> HistoryStep {
        let (outcomes, evictions) = (window.outcomes, window.evictions);
        let step = HistoryStep::new(Point { outcomes, evictions, ..tick }, &window, frame);
        let begin_ms = tick.at_ms.saturating_sub(tick.span_ms);
        let begun = || CacheHistory {
            attached_since_ms: frame.attached.then_some(begin_ms),
            ..CacheHistory::default()
        };
        let history = self.by_cache.entry(frame.report.cache.clone()).or_insert_with(begun);
        if history.attached_since_ms.is_some() != frame.attached {
            *history = begun();
        }
        if tick.span_ms > 0 {
            history.rings.push(&step);
        }
        frame.recent = history.recent(window);
        step
    }

    /// Forgets the caches of attached nodes that are not among these. The service's own come back.
    pub(crate) fn retain_attached(&mut self, attached: &[CacheFrame]) {
        let is_there = |name: &str| attached.iter().any(|frame| frame.report.cache == name);
        self.by_cache.retain(|name, history| history.attached_since_ms.is_none() || is_there(name));
    }

    /// The service's own caches by name, each with a time that is over as one step.
    pub(crate) fn within(
        &self,
        span_ms: (u64, u64),
    ) -> impl Iterator<Item = (String, HistoryStep)> {
        let own = self.by_cache.iter().filter(|(_, history)| history.attached_since_ms.is_none());
        let steps =
            own.filter_map(move |(name, of)| Some((name.clone(), of.rings.within(span_ms)?)));
        steps.collect::<BTreeMap<_, _>>().into_iter()
    }

    /// Puts earlier steps, oldest first, before those that were taken.
    pub(crate) fn restore(&mut self, by_cache: BTreeMap<String, Vec<HistoryStep>>) {
        for (name, steps) in by_cache {
            let history = self.by_cache.entry(name).or_default();
            if history.attached_since_ms.is_none() {
                history.rings.restore(steps);
            }
        }
    }

    /// The last minutes of a cache, second by second.
    pub(crate) fn chart(&self, cache: &str) -> Vec<Point> {
        self.by_cache.get(cache).map(|history| history.rings.chart().points).unwrap_or_default()
    }

    /// One cache over a range; `started_at_ms` is since when the service's own are kept.
    pub(crate) fn range(&self, cache: &str, range: Range, started_at_ms: u64) -> RangeHistory {
        let Some(history) = self.by_cache.get(cache) else {
            return RangeHistory { since_ms: started_at_ms, ..Rings::default().range(range) };
        };
        let since_ms = history.attached_since_ms.unwrap_or(started_at_ms);
        RangeHistory { since_ms, ..history.rings.range(range) }
    }
}

impl CacheHistory {
    fn recent(&mut self, newest: Window) -> Window {
        let windows = &mut self.recent;
        // One of no length says nothing: nothing was heard.
        if newest.span_ms > 0 {
            windows.push_back(newest);
        }
        let mut span_ms: u64 = windows.iter().map(|window| window.span_ms).sum();
        while let Some(oldest) = windows.pop_front_if(|w| span_ms - w.span_ms >= RECENT_MS) {
            span_ms -= oldest.span_ms;
        }
        let mut sum = Window::default();
        windows.iter().for_each(|window| sum.merge(window));
        Window { span_ms, ..sum }
    }
}

#[cfg(test)]
mod tests {
    use strata_report::CacheReport;

    use super::*;

    fn add(histories: &mut Histories, second: u64, frame: &mut CacheFrame) {
        let tick = Point { at_ms: second * 1_000, span_ms: 1_000, ..Point::default() };
        let window = Window { span_ms: 1_000, ..Window::default() };
        histories.add(frame, window, tick);
    }

    fn cache(name: &str, attached: bool) -> CacheFrame {
        let report = CacheReport { cache: name.to_owned(), ..CacheReport::default() };
        CacheFrame { report, attached, ..CacheFrame::default() }
    }

    #[test]
    fn of_thousands_of_attached_caches_only_those_that_are_there_are_remembered() {
        let mut histories = Histories::default();
        for second in 1..=5_000 {
            add(&mut histories, second, &mut cache("users", false));
            let mut attached = cache(&format!("lab-{second}"), true);
            add(&mut histories, second, &mut attached);
            histories.retain_attached(&[attached]);
            assert!(histories.by_cache.len() <= 2, "{second}");
        }
        histories.retain_attached(&[]);
        assert_eq!(histories.by_cache.keys().collect::<Vec<_>>(), ["users"]);
    }

    #[test]
    fn an_attached_cache_is_kept_since_it_came_and_the_service_since_the_start() {
        let mut histories = Histories::default();
        add(&mut histories, 60, &mut cache("users", false));
        add(&mut histories, 60, &mut cache("lab", true));
        let since_ms = |cache| histories.range(cache, Range::Minute, 7_000).since_ms;
        assert_eq!((since_ms("users"), since_ms("lab"), since_ms("cats")), (7_000, 59_000, 7_000));
    }

    #[test]
    fn a_cache_of_the_service_does_not_go_on_from_the_history_of_an_attached_one() {
        let mut histories = Histories::default();
        (1..=5).for_each(|second| add(&mut histories, second, &mut cache("users", true)));
        let mut own = cache("users", false);
        add(&mut histories, 6, &mut own);
        assert_eq!(own.recent.span_ms, 1_000);
        assert_eq!(histories.chart("users").len(), 1);
    }
}
