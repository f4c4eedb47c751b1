use std::fmt::Write as _;

use leptos::prelude::*;
use strata_report::{BOUNDS_NS, Histogram};

use super::log_axis::log_x;

// As in the view box.
const WIDTH: f64 = 1_000.0;
const HEIGHT: i64 = 100;

/// How durations are spread over the logarithmic axis, with p50 and p99 marked.
#[component]
pub(crate) fn Ridge(
    /// What it shows, for those who cannot see it.
    title: &'static str,
    /// The class that gives it its colour.
    class: &'static str,
    /// Its outline, from [`ridge_path`].
    path: Signal<String>,
    /// Where p50 lies, from [`ridge_x`].
    p50: Signal<String>,
    /// Where p99 lies, from [`ridge_x`].
    p99: Signal<String>,
) -> impl IntoView {
    view! {
        <svg
            class=format!("ridge {class}")
            role="img"
            aria-label=title
            viewBox="0 0 1000 100"
            preserveAspectRatio="none"
        >
            <title>{title}</title>
            <path d=path />
            <line class="p50" x1=p50 x2=p50 y1="0" y2="100" />
            <line class="p99" x1=p99 x2=p99 y1="0" y2="100" />
        </svg>
    }
    .into_any()
}

/// Where a quantile lies on the drawing; outside of it where nothing was counted.
pub(crate) fn ridge_x(histogram: &Histogram, q: f64) -> String {
    let x = histogram.quantile_ns(q).map_or(-10, |ns| (log_x(ns) * WIDTH).round() as i64);
    x.to_string()
}

/// The outline of a histogram, scaled to its fullest bucket.
pub(crate) fn ridge_path(histogram: &Histogram) -> String {
    let counts = histogram.counts();
    let fullest = counts.iter().copied().max().unwrap_or(0);
    let mut out = String::new();
    if fullest == 0 {
        return out;
    }
    let _ = write!(out, "M0 {HEIGHT}");
    let mut left = 0;
    for (bound, n) in BOUNDS_NS.iter().zip(counts) {
        // The first bucket ends where the axis begins; it still has to be seen.
        let right = ((log_x(*bound) * WIDTH).round() as i64).max(8);
        let top = HEIGHT - (*n as f64 / fullest as f64 * HEIGHT as f64).round() as i64;
        if right > left {
            let _ = write!(out, "L{left} {top}L{right} {top}");
        }
        left = right;
    }
    let _ = write!(out, "L1000 {HEIGHT}Z");
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_fullest_bucket_reaches_the_top() {
        let mut histogram = Histogram::default();
        for us in [1, 1, 40] {
            histogram.record(Duration::from_micros(us));
        }
        let path = ridge_path(&histogram);
        assert!(path.contains("L106 0L125 0"), "{path}");
        assert!(path.contains("50L"), "{path}");
        assert!(path.starts_with("M0 100L") && path.ends_with("L1000 100Z"));
    }

    #[test]
    fn a_quantile_of_nothing_lies_outside() {
        assert_eq!(ridge_x(&Histogram::default(), 0.5), "-10");
    }

    #[test]
    fn a_ridge_of_nothing_is_empty() {
        assert_eq!(ridge_path(&Histogram::default()), "");
    }
}
