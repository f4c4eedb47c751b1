use std::fmt::Write as _;

use leptos::prelude::*;
use strata_report::{BOUNDS_NS, Histogram};

use super::log_axis::log_x;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 100.0;

/// How durations are spread over the logarithmic axis, with p50 and p99 marked.
#[component]
pub(crate) fn Ridge(
    /// What it shows, for those who cannot see it.
    title: &'static str,
    /// The class that gives it its colour.
    class: &'static str,
    /// The durations.
    #[prop(into)]
    histogram: Signal<Histogram>,
) -> impl IntoView {
    let path = Memo::new(move |_| histogram.with(ridge_path));
    let mark = move |q: f64| {
        move || histogram.with(|h| h.quantile_ns(q)).map_or(-10.0, |ns| (log_x(ns) * WIDTH).round())
    };
    view! {
        <svg
            class=format!("ridge {class}")
            role="img"
            aria-label=title
            viewBox=format!("0 0 {WIDTH} {HEIGHT}")
            preserveAspectRatio="none"
        >
            <title>{title}</title>
            <path d=move || path.get() />
            <line class="p50" x1=mark(0.5) x2=mark(0.5) y1="0" y2="100" />
            <line class="p99" x1=mark(0.99) x2=mark(0.99) y1="0" y2="100" />
        </svg>
    }
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
    let mut left = 0.0;
    for (bound, n) in BOUNDS_NS.iter().zip(counts) {
        // The first bucket ends where the axis begins; it still has to be seen.
        let right = (log_x(*bound) * WIDTH).round().max(8.0);
        let top = (HEIGHT * (1.0 - *n as f64 / fullest as f64)).round();
        if right > left {
            let _ = write!(out, "L{left} {top}L{right} {top}");
        }
        left = right;
    }
    let _ = write!(out, "L{WIDTH} {HEIGHT}Z");
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
    fn a_ridge_of_nothing_is_empty() {
        assert_eq!(ridge_path(&Histogram::default()), "");
    }
}
