use std::borrow::Cow;

use leptos::prelude::*;
use strata_report::{CacheFrame, Frame, Point, Snapshot, Window};

use super::LiveState;
use super::ring::PointRing;

/// What every card reads. Signals change at most once a frame of the screen.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    /// How the page stands with the server.
    pub(crate) state: RwSignal<LiveState>,
    /// The newest frame that is drawn.
    pub(crate) frame: RwSignal<Frame>,
    /// The points of the charts, oldest first.
    pub(crate) points: RwSignal<Vec<Point>>,
    /// The last seconds of all caches of the service together.
    pub(crate) recent: Memo<Window>,
    /// The names of the service's caches, in the order in which they were built.
    pub(crate) caches: Memo<Vec<String>>,
    #[cfg(feature = "csr")]
    pub(super) ring: StoredValue<PointRing>,
}

impl Live {
    /// Starts from the numbers that the page was drawn with. [`Live::follow`] brings the next ones.
    pub(crate) fn provide(snapshot: Snapshot) -> Self {
        let mut ring = PointRing::default();
        ring.replace(snapshot.history);
        let state = RwSignal::new(LiveState::Connecting);
        let frame = RwSignal::new(snapshot.frame);
        let points = RwSignal::new(ring.points());
        let live = Self {
            state,
            frame,
            points,
            recent: Memo::new(move |_| frame.with(recent)),
            caches: Memo::new(move |_| frame.with(cache_names)),
            #[cfg(feature = "csr")]
            ring: StoredValue::new(ring),
        };
        provide_context(live);
        live
    }

    /// Follows the stream from now on.
    #[cfg(feature = "csr")]
    pub(crate) fn follow(self) {
        super::stream::follow(self);
    }

    /// A text about one cache; what a missing cache would say where there is none.
    pub(crate) fn cache_text(&self, name: &str, text: fn(&CacheFrame) -> String) -> Signal<String> {
        let (frame, name) = (self.frame, StoredValue::new(name.to_owned()));
        Signal::derive(move || {
            frame.with(|frame| name.with_value(|name| text(&cache(frame, name))))
        })
    }

    /// A share that one cache has.
    pub(crate) fn cache_share(
        &self,
        name: &str,
        share: fn(&CacheFrame) -> Option<f64>,
    ) -> Signal<Option<f64>> {
        let (frame, name) = (self.frame, StoredValue::new(name.to_owned()));
        Signal::derive(move || {
            frame.with(|frame| name.with_value(|name| share(&cache(frame, name))))
        })
    }

    /// Stops the numbers, or lets them go on.
    pub(crate) fn toggle(&self) {
        #[cfg(feature = "csr")]
        super::stream::toggle();
    }

    /// Shows a frame that came after the ring had taken its point.
    #[cfg(feature = "csr")]
    pub(super) fn show(&self, frame: Frame) {
        self.points.set(self.ring.with_value(PointRing::points));
        self.frame.set(frame);
    }
}

fn cache<'a>(frame: &'a Frame, name: &str) -> Cow<'a, CacheFrame> {
    let found = frame.caches.iter().find(|cache| cache.report.cache == name);
    found.map_or_else(|| Cow::Owned(CacheFrame::default()), Cow::Borrowed)
}

fn recent(frame: &Frame) -> Window {
    let mut all = Window::default();
    for cache in frame.own_caches() {
        all.merge(&cache.recent);
    }
    all
}

fn cache_names(frame: &Frame) -> Vec<String> {
    frame.own_caches().map(|cache| cache.report.cache.clone()).collect()
}
