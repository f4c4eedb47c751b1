use leptos::prelude::*;
use strata_report::Frame;

use super::fall_through::FallThrough;
use super::layers::{L1Layer, L2Layer, SourceLayer, reads_by_layer};
use super::reads_by_layer::{ReadsByLayer, saved_ns};
use crate::format::{self, DASH};
use crate::hints::{self, Hint};
use crate::live::Live;
use crate::ui::Label;

/// Where reads are answered, live.
#[component]
pub(crate) fn CrossSection() -> impl IntoView {
    let live = expect_context::<Live>();
    let per_s = move |count: fn(&ReadsByLayer) -> u64| {
        live.recent.with(|recent| format::rate(recent.per_second(count(&reads_by_layer(live)))))
    };
    let l1_share = Signal::derive(move || reads_by_layer(live).l1_share());
    let l2_share = Signal::derive(move || reads_by_layer(live).l2_share());
    view! {
        <section class="card cross-section" aria-labelledby="cross-section-title">
            <h2 id="cross-section-title" class="unseen">"Where reads are answered"</h2>
            <Summary />
            <L1Layer />
            <FallThrough
                answered=l1_share
                text=Signal::derive(move || format!("{}/s sink to L2", per_s(ReadsByLayer::below_l1)))
            />
            <L2Layer />
            <FallThrough
                answered=l2_share
                text=Signal::derive(move || {
                    format!("{}/s sink to the database", per_s(|reads_by_layer| reads_by_layer.below))
                })
            />
            <SourceLayer />
        </section>
    }
    .into_any()
}

#[component]
fn Summary() -> impl IntoView {
    let live = expect_context::<Live>();
    let reads =
        move || live.recent.with(|r| format::rate(r.per_second(reads_by_layer(live).reads)));
    let window = move || match live.recent.with(|recent| recent.span_ms) {
        0 => "no numbers yet".to_owned(),
        ms => format!("last {}", format::span(ms)),
    };
    let saved = move || match live.recent.with(saved_ns) {
        Some((low, high)) => format::range(low, high),
        None => DASH.to_owned(),
    };
    view! {
        <dl class="summary">
            <Big hint=hints::READS value=Signal::derive(reads) />
            <Big
                hint=hints::WITHOUT_SOURCE
                value=Signal::derive(move || format::percent(reads_by_layer(live).levels_share()))
            />
            <Big hint=hints::SAVED value=Signal::derive(saved) />
            <Big
                hint=hints::IN_FLIGHT
                value=Signal::derive(move || live.frame.with(|f| format::count(in_flight(f))))
            />
        </dl>
        <p class="summary-window">{window}</p>
    }
}

#[component]
fn Big(hint: Hint, value: Signal<String>) -> impl IntoView {
    view! {
        <div class="number big">
            <dt>
                <Label hint=hint />
            </dt>
            <dd>{move || value.get()}</dd>
        </div>
    }
}

fn in_flight(frame: &Frame) -> u64 {
    frame.own_caches().map(|cache| cache.report.loads.in_flight).sum()
}
