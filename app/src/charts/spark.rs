use std::fmt::Write as _;

use leptos::prelude::*;
use strata_report::Point;

use super::stack::{per_second, runs, shown, x, y};

/// A line over the last five minutes, as an ornament beside a number that says the same.
#[component]
pub(crate) fn Spark(
    /// The class that gives it its colour.
    class: &'static str,
    /// Its path, from [`spark_path`].
    path: Signal<String>,
) -> impl IntoView {
    view! {
        <svg
            class=format!("spark {class}")
            aria-hidden="true"
            viewBox="0 0 3000 1000"
            preserveAspectRatio="none"
        >
            <path d=path />
        </svg>
    }
}

/// The path of one count of every point as a rate, scaled to its own highest value.
pub(crate) fn spark_path(points: &[Point], count: impl Fn(&Point) -> u64) -> String {
    let newest = points.last().map_or(0, |point| point.at_ms);
    let shown = shown(points, newest);
    let rates: Vec<f64> = shown.iter().map(|point| per_second(count(point), point)).collect();
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let mut out = String::new();
    if highest <= 0.0 {
        return out;
    }
    for run in runs(shown) {
        for i in run.clone() {
            let command = if i == run.start { 'M' } else { 'L' };
            let x = x(shown[i].at_ms, newest);
            let _ = write!(out, "{command}{x} {}", y(rates[i], highest));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use strata_report::Outcomes;

    use super::*;

    fn point(at_s: u64, l1_hit: u64) -> Point {
        let outcomes = Outcomes { l1_hit, ..Outcomes::default() };
        Point { at_ms: at_s * 1000, span_ms: 1000, outcomes, ..Point::default() }
    }

    #[test]
    fn a_spark_reaches_from_zero_to_its_own_highest() {
        let points = [point(1000, 0), point(1001, 5), point(1002, 10)];
        let path = spark_path(&points, |point| point.outcomes.l1_hit);
        assert_eq!(path, "M2980 1000L2990 500L3000 0");
    }

    #[test]
    fn a_spark_of_nothing_is_empty() {
        assert_eq!(spark_path(&[point(1, 0)], |point| point.outcomes.l1_hit), "");
    }
}
