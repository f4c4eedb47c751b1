use std::collections::VecDeque;

use strata_report::{History, Point};

// Five minutes in steps of a second.
const N_POINTS: usize = 300;

/// The last points of the charts. Filled as events arrive, so that none is lost between draws.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PointRing {
    points: VecDeque<Point>,
}

impl PointRing {
    /// Starts over from what the server remembers.
    pub(crate) fn replace(&mut self, history: History) {
        let surplus = history.points.len().saturating_sub(N_POINTS);
        self.points = history.points.into_iter().skip(surplus).collect();
    }

    #[cfg(any(feature = "csr", test))]
    /// Adds the newest point, unless it is there already. A clock that was set back leaves points in
    /// the future, which go, as they do on the server.
    pub(crate) fn push(&mut self, point: Point) {
        while self.points.back().is_some_and(|last| last.at_ms >= point.at_ms) {
            self.points.pop_back();
        }
        if self.points.len() == N_POINTS {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }

    /// All points, oldest first.
    pub(crate) fn points(&self) -> Vec<Point> {
        self.points.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(at_ms: u64) -> Point {
        Point { at_ms, span_ms: 1000, ..Point::default() }
    }

    #[test]
    fn the_oldest_point_makes_room() {
        let mut ring = PointRing::default();
        for s in 0..400 {
            ring.push(at(s * 1000));
        }
        assert_eq!(ring.points().len(), 300);
        assert_eq!(ring.points()[0].at_ms, 100_000);
    }

    #[test]
    fn a_point_counts_once() {
        let mut ring = PointRing::default();
        ring.replace(History { step_ms: 1000, points: vec![at(1000), at(2000)] });
        ring.push(at(2000));
        ring.push(at(3000));
        assert_eq!(ring.points().len(), 3);
    }

    #[test]
    fn a_clock_set_back_leaves_no_points_in_the_future() {
        let mut ring = PointRing::default();
        for at_ms in [1_000, 9_000, 10_000, 2_000, 3_000] {
            ring.push(at(at_ms));
        }
        let stamps: Vec<_> = ring.points().iter().map(|point| point.at_ms).collect();
        assert_eq!(stamps, [1_000, 2_000, 3_000]);
    }

    #[test]
    fn a_longer_history_is_cut_at_its_old_end() {
        let mut ring = PointRing::default();
        let points = (0..900).map(|s| at(s * 1000)).collect();
        ring.replace(History { step_ms: 1000, points });
        assert_eq!(ring.points().last().map(|point| point.at_ms), Some(899_000));
        assert_eq!(ring.points().len(), 300);
    }
}
