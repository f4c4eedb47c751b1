use leptos::ev::PointerEvent;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos::web_sys::Element;

use super::stack::{StackedPaths, WIDTH};
use crate::format;

/// One band of a stacked chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Band {
    /// What it is called on screens.
    pub(crate) name: &'static str,
    /// The class that gives it its colour.
    pub(crate) class: &'static str,
}

/// Where somebody points in a chart, as a share of its width; `None` is nowhere.
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
                on:pointermove=move |event| cursor.set(share_of_width(&event))
                on:pointerleave=move |_| cursor.set(None)
            >
                <svg
                    role="img"
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

fn share_of_width(event: &PointerEvent) -> Option<f64> {
    let plot = event.current_target()?.dyn_into::<Element>().ok()?;
    let width = f64::from(plot.client_width());
    (width > 0.0).then(|| f64::from(event.offset_x()) / width)
}
