use leptos::prelude::*;

// From 100 ns to 10 s: L1, Redis and a slow source on one axis.
const FIRST_POWER: f64 = 2.0;
const N_DECADES: f64 = 8.0;

/// Where a duration lies on the axis, as a share of its width.
pub(crate) fn log_x(ns: u64) -> f64 {
    (((ns.max(1) as f64).log10() - FIRST_POWER) / N_DECADES).clamp(0.0, 1.0)
}

/// The labels of the axis, a decade apart.
#[component]
pub(crate) fn LogAxis() -> impl IntoView {
    view! {
        <div class="chart-x log-axis" aria-hidden="true">
            <span>"100 ns"</span>
            <span>"1 µs"</span>
            <span>"10"</span>
            <span>"100"</span>
            <span>"1 ms"</span>
            <span>"10"</span>
            <span>"100"</span>
            <span>"1 s"</span>
            <span>"10"</span>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_decade_is_as_wide_as_the_next() {
        assert_eq!(log_x(100), 0.0);
        assert_eq!(log_x(1_000), 0.125);
        assert_eq!(log_x(1_000_000), 0.5);
        assert_eq!(log_x(10_000_000_000), 1.0);
    }

    #[test]
    fn what_lies_outside_stays_on_the_edge() {
        assert_eq!(log_x(0), 0.0);
        assert_eq!(log_x(u64::MAX), 1.0);
    }
}
