use std::collections::{HashMap, VecDeque};

use strata_report::{CacheFrame, Past, Point, Range, Window};

use crate::history::Rings;
use crate::kept::Kept;

const RECENT_MS: u64 = 10_000;

/// The past of every cache that has one.
#[derive(Debug, Default)]
pub(crate) struct Pasts {
    by_cache: HashMap<String, CachePast>,
}

#[derive(Debug, Default)]
struct CachePast {
    /// Since when a cache of guests is kept; `None` for one of the service's own.
    guest_since_ms: Option<u64>,
    recent: VecDeque<Window>,
    rings: Rings,
}

impl Pasts {
    /// Adds what happened to a cache in a tick; its frame then tells of the last seconds.
    pub(crate) fn add(&mut self, frame: &mut CacheFrame, window: Window, tick: Point) -> Kept {
        let (outcomes, evictions) = (window.outcomes, window.evictions);
        let kept = Kept::new(Point { outcomes, evictions, ..tick }, &window, frame);
        let begin_ms = tick.at_ms.saturating_sub(tick.span_ms);
        let begun = || CachePast {
            guest_since_ms: frame.guest.then_some(begin_ms),
            ..CachePast::default()
        };
        let past = self.by_cache.entry(frame.report.cache.clone()).or_insert_with(begun);
        if past.guest_since_ms.is_some() != frame.guest {
            *past = begun();
        }
        if tick.span_ms > 0 {
            past.rings.push(&kept);
        }
        frame.recent = past.recent(window);
        kept
    }

    /// Forgets the caches of guests that are not among these. The service's own come back.
    pub(crate) fn keep_guests(&mut self, guests: &[CacheFrame]) {
        let is_there = |name: &str| guests.iter().any(|frame| frame.report.cache == name);
        self.by_cache.retain(|name, past| past.guest_since_ms.is_none() || is_there(name));
    }

    /// The last minutes of a cache, second by second.
    pub(crate) fn chart(&self, cache: &str) -> Vec<Point> {
        self.by_cache.get(cache).map(|past| past.rings.chart().points).unwrap_or_default()
    }

    /// One cache over a range; `started_at_ms` is since when the service's own are kept.
    pub(crate) fn past(&self, cache: &str, range: Range, started_at_ms: u64) -> Past {
        let Some(past) = self.by_cache.get(cache) else {
            return Past { since_ms: started_at_ms, ..Rings::default().past(range) };
        };
        let since_ms = past.guest_since_ms.unwrap_or(started_at_ms);
        Past { since_ms, ..past.rings.past(range) }
    }
}

impl CachePast {
    fn recent(&mut self, newest: Window) -> Window {
        let windows = &mut self.recent;
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

#[cfg(test)]
mod tests {
    use strata_report::CacheReport;

    use super::*;

    fn add(pasts: &mut Pasts, second: u64, frame: &mut CacheFrame) {
        let tick = Point { at_ms: second * 1_000, span_ms: 1_000, ..Point::default() };
        let window = Window { span_ms: 1_000, ..Window::default() };
        pasts.add(frame, window, tick);
    }

    fn cache(name: &str, guest: bool) -> CacheFrame {
        let report = CacheReport { cache: name.to_owned(), ..CacheReport::default() };
        CacheFrame { report, guest, ..CacheFrame::default() }
    }

    #[test]
    fn of_thousands_of_guests_only_those_that_are_there_are_remembered() {
        let mut pasts = Pasts::default();
        for second in 1..=5_000 {
            add(&mut pasts, second, &mut cache("users", false));
            let mut guest = cache(&format!("lab-{second}"), true);
            add(&mut pasts, second, &mut guest);
            pasts.keep_guests(&[guest]);
            assert!(pasts.by_cache.len() <= 2, "{second}");
        }
        pasts.keep_guests(&[]);
        assert_eq!(pasts.by_cache.keys().collect::<Vec<_>>(), ["users"]);
    }

    #[test]
    fn a_guest_is_kept_since_it_came_and_the_service_since_the_start() {
        let mut pasts = Pasts::default();
        add(&mut pasts, 60, &mut cache("users", false));
        add(&mut pasts, 60, &mut cache("lab", true));
        let since_ms = |cache| pasts.past(cache, Range::Minute, 7_000).since_ms;
        assert_eq!((since_ms("users"), since_ms("lab"), since_ms("cats")), (7_000, 59_000, 7_000));
    }

    #[test]
    fn a_cache_of_the_service_does_not_go_on_from_a_guests_past() {
        let mut pasts = Pasts::default();
        (1..=5).for_each(|second| add(&mut pasts, second, &mut cache("users", true)));
        let mut own = cache("users", false);
        add(&mut pasts, 6, &mut own);
        assert_eq!(own.recent.span_ms, 1_000);
        assert_eq!(pasts.chart("users").len(), 1);
    }
}
