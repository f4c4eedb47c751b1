use leptos::prelude::*;
use web_sys::CustomEvent;

use super::stack::{StackedPaths, WIDTH, WINDOW_MS};
use crate::format;

/// One band of a stacked chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    /// What it is called on screens.
    pub(crate) name: &'static str,
    /// The class that gives it its colour.
    pub(crate) class: &'static str,
}

/// How far an arrow leads, as a share of the width: a second.
const STEP: f64 = 1_000.0 / WINDOW_MS as f64;

/// Where somebody points in a chart, as a share of its width; `None` is nowhere. The script of the
/// read-outs says it, whether they point with a mouse, a finger or the arrows.
pub(crate) type Cursor = RwSignal<Option<f64>>;

/// A stacked area chart of rates per second over the last five minutes.
#[component]
pub(crate) fn Stacked(
    /// What it shows, for those who cannot see it.
    title: &'static str,
    /// Its bands, lowest first.
    bands: &'static [Band],
    /// Its geometry.
    chart: Memo<StackedPaths>,
    /// Where somebody points.
    cursor: Cursor,
) -> impl IntoView {
    let areas = bands.iter().enumerate().map(|(i, band)| {
        let class = format!("band {}", band.class);
        let d = move || chart.with(|chart| chart.paths.get(i).cloned().unwrap_or_default());
        view! { <path class=class d=d /> }
    });
    let areas = areas.collect_view();
    let lines = (0..4).map(|i| {
        let y = i * 250;
        view! { <line class="grid" x1="0" x2="3000" y1=y y2=y /> }
    });
    let lines = lines.collect_view();
    let labels = (0..5).map(|i| {
        let text = move || chart.with(|chart| chart.axis.ticks().nth(i).map(format::tick));
        view! { <span>{text}</span> }
    });
    let labels = labels.collect_view();
    let pointer_x = move || (cursor.get().unwrap_or(-1.0) * WIDTH).round() as i64;
    view! {
        <div class="chart">
            <div class="chart-y" aria-hidden="true">{labels}</div>
            <div
                class="chart-plot"
                data-step=STEP
                on:strata-point=move |event: CustomEvent| cursor.set(event.detail().as_f64())
            >
                <svg
                    role="img"
                    tabindex="0"
                    aria-label=title
                    viewBox="0 0 3000 1000"
                    preserveAspectRatio="none"
                >
                    <title>{title}</title>
                    {areas}
                    {lines}
                    <line class="cursor" x1=pointer_x x2=pointer_x y1="0" y2="1000" />
                </svg>
            </div>
            <div class="chart-x" aria-hidden="true">
                <span>"−5 min"</span>
                <span>"−4"</span>
                <span>"−3"</span>
                <span>"−2"</span>
                <span>"−1"</span>
                <span>"newest"</span>
            </div>
        </div>
    }
}
