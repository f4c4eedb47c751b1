use std::fmt::Write as _;

use strata_report::Point;

use super::scale::Axis;

/// What a chart over time shows: the last five minutes.
pub(crate) const WINDOW_MS: u64 = 300_000;

/// The width of the drawing, as in its view box; a unit is a tenth of a second.
pub(crate) const WIDTH: f64 = 3_000.0;

/// The height of the drawing, as in its view box.
const HEIGHT: f64 = 1_000.0;

// Two points further apart than this are not joined: nobody counted in between.
const GAP_IN_STEPS: u64 = 3;

/// A stacked chart, ready to be drawn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StackedPaths {
    /// The axis that all bands share.
    pub(crate) axis: Axis,
    /// One path a band, lowest band first; empty where the band is nothing but zeros.
    pub(crate) paths: Vec<String>,
}

/// Stacks `n_bands` counts of every point as rates per second.
pub(crate) fn stack(
    points: &[Point],
    n_bands: usize,
    count: impl Fn(&Point, usize) -> u64,
) -> StackedPaths {
    let newest = points.last().map_or(0, |point| point.at_ms);
    let shown = shown(points, newest);
    // tops[band][i] is the upper edge of a band, in reads or removals per second.
    let mut tops: Vec<Vec<f64>> = Vec::with_capacity(n_bands);
    for band in 0..n_bands {
        let below = tops.last();
        let rate = |(i, point): (usize, &Point)| {
            below.map_or(0.0, |below| below[i]) + per_second(count(point, band), point)
        };
        tops.push(shown.iter().enumerate().map(rate).collect());
    }
    let highest = tops.last().map_or(0.0, |top| top.iter().copied().fold(0.0, f64::max));
    let axis = Axis::reaching(highest, 4);
    let zeros = vec![0.0; shown.len()];
    let mut paths = Vec::with_capacity(n_bands);
    for band in 0..n_bands {
        let bottom = if band == 0 { &zeros } else { &tops[band - 1] };
        let edges = Edges { shown, newest, top: &tops[band], bottom, max: axis.max() };
        paths.push(edges.path());
    }
    StackedPaths { axis, paths }
}

/// The point under a cursor at `x`, a share of the chart's width.
pub(crate) fn at_cursor(points: &[Point], x: f64) -> Option<&Point> {
    let newest = points.last()?.at_ms;
    let back_ms = ((1.0 - x.clamp(0.0, 1.0)) * WINDOW_MS as f64) as u64;
    let at_ms = newest.saturating_sub(back_ms);
    points.iter().find(|point| point.at_ms >= at_ms)
}

/// A count of a point as a rate per second.
pub(crate) fn per_second(count: u64, point: &Point) -> f64 {
    if point.span_ms == 0 { 0.0 } else { count as f64 * 1000.0 / point.span_ms as f64 }
}

/// The points inside the window that ends with the newest.
pub(crate) fn shown(points: &[Point], newest_ms: u64) -> &[Point] {
    let start = newest_ms.saturating_sub(WINDOW_MS);
    &points[points.partition_point(|point| point.at_ms <= start)..]
}

/// Ranges of points without a gap between them.
pub(crate) fn runs(points: &[Point]) -> Vec<std::ops::Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    for i in 1..=points.len() {
        if i == points.len() || is_gap(&points[i - 1], &points[i]) {
            runs.push(start..i);
            start = i;
        }
    }
    runs
}

fn is_gap(earlier: &Point, later: &Point) -> bool {
    later.at_ms.saturating_sub(earlier.at_ms) > GAP_IN_STEPS * later.span_ms.max(1000)
}

/// Where an instant lies on the drawing.
pub(crate) fn x(at_ms: u64, newest_ms: u64) -> i64 {
    let back_ms = newest_ms.saturating_sub(at_ms).min(WINDOW_MS);
    (WIDTH * (1.0 - back_ms as f64 / WINDOW_MS as f64)).round() as i64
}

/// Where a value lies on the drawing.
pub(crate) fn y(value: f64, max: f64) -> i64 {
    (HEIGHT * (1.0 - value / max)).round() as i64
}

struct Edges<'a> {
    shown: &'a [Point],
    newest: u64,
    top: &'a [f64],
    bottom: &'a [f64],
    max: f64,
}

impl Edges<'_> {
    fn path(&self) -> String {
        let mut out = String::new();
        if self.top == self.bottom {
            return out;
        }
        for run in runs(self.shown) {
            let first = &self.shown[run.start];
            // A point covers the step that it ends, so a run begins one step earlier.
            let from = x(first.at_ms.saturating_sub(first.span_ms), self.newest);
            self.edge(&mut out, self.top, from, run.clone());
            out.push('L');
            self.back(&mut out, from, run);
            out.push('Z');
        }
        out
    }

    fn edge(&self, out: &mut String, edge: &[f64], from: i64, run: std::ops::Range<usize>) {
        let _ = write!(out, "M{from} {}", y(edge[run.start], self.max));
        for i in run {
            let _ =
                write!(out, "L{} {}", x(self.shown[i].at_ms, self.newest), y(edge[i], self.max));
        }
    }

    fn back(&self, out: &mut String, from: i64, run: std::ops::Range<usize>) {
        let start = run.start;
        for i in run.rev() {
            let x = x(self.shown[i].at_ms, self.newest);
            let _ = write!(out, "{x} {}L", y(self.bottom[i], self.max));
        }
        let _ = write!(out, "{from} {}", y(self.bottom[start], self.max));
    }
}

#[cfg(test)]
mod tests {
    use strata_report::{Outcome, Outcomes};

    use super::*;

    fn point(at_s: u64, l1_hit: u64, loaded: u64) -> Point {
        let outcomes = Outcomes { l1_hit, loaded, ..Outcomes::default() };
        Point { at_ms: at_s * 1000, span_ms: 1000, outcomes, ..Point::default() }
    }

    fn outcomes(point: &Point, band: usize) -> u64 {
        point.outcomes.get(Outcome::ALL[band])
    }

    #[test]
    fn bands_lie_on_top_of_each_other() {
        let chart = stack(&[point(1000, 30, 10), point(1001, 20, 20)], 3, outcomes);
        assert_eq!(chart.axis.max(), 40.0);
        assert_eq!(chart.paths[0], "M2980 250L2990 250L3000 500L3000 1000L2990 1000L2980 1000Z");
        assert_eq!(chart.paths[1], "");
        assert_eq!(chart.paths[2], "M2980 0L2990 0L3000 0L3000 500L2990 250L2980 250Z");
    }

    #[test]
    fn a_longer_step_is_the_same_rate() {
        let slow = Point { span_ms: 10_000, ..point(1000, 300, 0) };
        assert_eq!(stack(&[slow], 1, outcomes).axis.max(), 32.0);
    }

    #[test]
    fn a_gap_is_not_bridged() {
        let points = [point(100, 1, 0), point(101, 1, 0), point(160, 1, 0)];
        assert_eq!(runs(&points), [0..2, 2..3]);
        assert_eq!(stack(&points, 1, outcomes).paths[0].matches('M').count(), 2);
    }

    #[test]
    fn what_lies_before_the_window_is_left_out() {
        let points = [point(10, 900, 0), point(400, 1, 0)];
        assert_eq!(stack(&points, 1, outcomes).axis.max(), 1.0 * 4.0 * 0.25);
    }

    #[test]
    fn nothing_at_all_is_drawn_as_nothing() {
        assert_eq!(stack(&[], 2, outcomes).paths, ["", ""]);
        assert!(runs(&[]).is_empty());
    }

    #[test]
    fn a_cursor_finds_its_point() {
        let points: Vec<_> = (0..=300).map(|s| point(1_000 + s, s, 0)).collect();
        assert_eq!(at_cursor(&points, 1.0).map(|p| p.outcomes.l1_hit), Some(300));
        assert_eq!(at_cursor(&points, 0.5).map(|p| p.outcomes.l1_hit), Some(150));
        assert_eq!(at_cursor(&[], 0.5), None);
    }
}
