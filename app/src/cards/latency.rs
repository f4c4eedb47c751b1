use leptos::prelude::*;
use strata_report::{Histogram, Window};

use crate::charts::{LogAxis, Ridge, ridge_path, ridge_x};
use crate::format;
use crate::hints::{self, Hint};
use crate::live::Live;
use crate::ui::{Card, Label};

struct LatencyRow {
    name: &'static str,
    class: &'static str,
    title: &'static str,
    p50: Hint,
    p99: Hint,
    of: fn(&Window) -> &Histogram,
}

const ROWS: [LatencyRow; 3] = [
    LatencyRow {
        name: "L1 get",
        class: "l1",
        title: "How long gets in L1 took",
        p50: hints::L1_P50,
        p99: hints::L1_P99,
        of: |window| &window.l1_latency,
    },
    LatencyRow {
        name: "L2 get",
        class: "l2",
        title: "How long gets in L2 took",
        p50: hints::L2_P50,
        p99: hints::L2_P99,
        of: |window| &window.l2_latency,
    },
    LatencyRow {
        name: "load",
        class: "source",
        title: "How long loads took",
        p50: hints::LOAD_P50,
        p99: hints::LOAD_P99,
        of: |window| &window.load_latency,
    },
];

/// How long each layer takes, on one logarithmic axis.
#[component]
pub(crate) fn Latency() -> impl IntoView {
    let live = expect_context::<Live>();
    let note = move || match live.recent.with(|recent| recent.span_ms) {
        0 => "no numbers yet".to_owned(),
        ms => format!("last {}", format::span(ms)),
    };
    let sampled = move || {
        let one_in = live.frame.with(|frame| {
            frame.own_caches().map(|cache| cache.report.l1.gets.sampled_one_in).max()
        });
        match one_in {
            Some(n) if n > 1 => format!("L1: 1 get in {n} is timed. "),
            _ => String::new(),
        }
    };
    let rows = ROWS.into_iter().map(|row| view! { <RidgeRow row=row /> }).collect_view();
    view! {
        <Card name="latency" title="How long each layer takes" note=Signal::derive(note)>
            <div class="ridges">{rows}</div>
            <LogAxis />
            <p class="small">
                {sampled} "Full line p50, dashed line p99. Each height is relative to its own layer."
            </p>
        </Card>
    }
    .into_any()
}

#[component]
fn RidgeRow(row: LatencyRow) -> impl IntoView {
    let live = expect_context::<Live>();
    let text = move |of: fn(&Histogram) -> String| {
        Signal::derive(move || live.recent.with(|recent| of((row.of)(recent))))
    };
    view! {
        <div class="ridge-row">
            <h3>{row.name}</h3>
            <dl>
                <dt>
                    <Label hint=row.p50 />
                </dt>
                <dd>{text(|h| format::duration(h.quantile_ns(0.5)))}</dd>
                <dt>
                    <Label hint=row.p99 />
                </dt>
                <dd>{text(|h| format::duration(h.quantile_ns(0.99)))}</dd>
            </dl>
            <Ridge
                title=row.title
                class=row.class
                path=text(ridge_path)
                p50=text(|h| ridge_x(h, 0.5))
                p99=text(|h| ridge_x(h, 0.99))
            />
        </div>
    }
}
