use leptos::prelude::*;
use strata_report::{Frame, Outcome, Window};

use super::layer::{Layer, LayerText};
use super::sink::Sink;
use super::sinking::{BELOW, Sinking, saved_ns, share};
use crate::cards::outcomes::BANDS;
use crate::charts::spark_path;
use crate::format::{self, DASH};
use crate::hints::{self, Hint};
use crate::live::Live;
use crate::ui::{Label, Segment};

/// Where reads are answered, live.
#[component]
pub(crate) fn CrossSection() -> impl IntoView {
    let live = expect_context::<Live>();
    let sinking = Memo::new(move |_| live.recent.with(|recent| Sinking::of(&recent.outcomes)));
    let per_s = move |count: fn(&Sinking) -> u64| {
        live.recent.with(|recent| format::rate(recent.per_second(count(&sinking.get()))))
    };
    let l1_answered = Memo::new(move |_| sinking.get().l1_share().unwrap_or(0.0));
    let l2_answered = Memo::new(move |_| sinking.get().l2_share().unwrap_or(0.0));
    view! {
        <section class="card cross-section" aria-labelledby="cross-section-title">
            <h2 id="cross-section-title" class="unseen">"Where reads are answered"</h2>
            <Summary sinking=sinking />
            <L1Layer sinking=sinking />
            <Sink
                answered=l1_answered
                text=Signal::derive(move || format!("{}/s sink to L2", per_s(Sinking::below_l1)))
            />
            <L2Layer sinking=sinking />
            <Sink
                answered=l2_answered
                text=Signal::derive(move || {
                    format!("{}/s sink to the database", per_s(|sinking| sinking.below))
                })
            />
            <SourceLayer />
        </section>
    }
    .into_any()
}

#[component]
fn Summary(sinking: Memo<Sinking>) -> impl IntoView {
    let live = expect_context::<Live>();
    let reads = move || live.recent.with(|r| format::rate(r.per_second(sinking.get().reads)));
    let window = move || match live.recent.with(|recent| recent.span_ms) {
        0 => "no numbers yet".to_owned(),
        ms => format!("last {}", format::span(ms)),
    };
    let saved = move || match live.recent.with(saved_ns) {
        Some((low, high)) => {
            format!("{} – {}", format::duration(Some(low)), format::duration(Some(high)))
        }
        None => DASH.to_owned(),
    };
    view! {
        <dl class="summary">
            <Big hint=hints::READS value=Signal::derive(reads) />
            <Big
                hint=hints::WITHOUT_SOURCE
                value=Signal::derive(move || format::percent(sinking.get().levels_share()))
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

#[component]
fn L1Layer(sinking: Memo<Sinking>) -> impl IntoView {
    let live = expect_context::<Live>();
    let text = LayerText {
        class: "l1",
        name: "L1",
        made_of: "moka, per process",
        answered: Signal::derive(move || format::percent(sinking.get().l1_share())),
        detail: answered_per_s(live, Outcome::L1Hit),
    };
    let parts = Memo::new(move |_| {
        vec![Segment { class: "l1", share: sinking.get().l1_share().unwrap_or(0.0) }]
    });
    let p = move |q| quantile(live, q, |window, q| window.l1_latency.quantile_ns(q));
    let fullest = move || live.frame.with(fullest).unwrap_or_else(|| DASH.to_owned());
    let numbers = vec![
        (hints::L1_P50, p(0.5)),
        (hints::L1_P99, p(0.99)),
        (hints::FULLEST, Signal::derive(fullest)),
    ];
    view! {
        <Layer
            text=text
            parts=parts
            spark=spark_of(live, Outcome::L1Hit)
            numbers=numbers
            absence=Signal::stored(None)
        />
    }
}

#[component]
fn L2Layer(sinking: Memo<Sinking>) -> impl IntoView {
    let live = expect_context::<Live>();
    let l2_answered = answered_per_s(live, Outcome::L2Hit);
    let text = LayerText {
        class: "l2",
        name: "L2",
        made_of: "Redis, shared",
        answered: Signal::derive(move || format::percent(sinking.get().l2_share())),
        detail: Signal::derive(move || {
            let Sinking { l2, reads, .. } = sinking.get();
            format!("{} · {} of all reads", l2_answered.get(), format::percent(share(l2, reads)))
        }),
    };
    let parts = Memo::new(move |_| {
        vec![Segment { class: "l2", share: sinking.get().l2_share().unwrap_or(0.0) }]
    });
    let p = move |q| quantile(live, q, |window, q| window.l2_latency.quantile_ns(q));
    let numbers = vec![
        (hints::L2_P50, p(0.5)),
        (hints::L2_P99, p(0.99)),
        (hints::MEMORY, Signal::derive(move || live.frame.with(memory))),
    ];
    let absence = Signal::derive(move || {
        live.frame.with(|frame| match (frame.redis.configured, frame.redis.up) {
            (false, _) => Some("Off"),
            (true, false) => Some("Away"),
            (true, true) => None,
        })
    });
    view! {
        <Layer
            text=text
            parts=parts
            spark=spark_of(live, Outcome::L2Hit)
            numbers=numbers
            absence=absence
        />
    }
}

#[component]
fn SourceLayer() -> impl IntoView {
    let live = expect_context::<Live>();
    let rate_of = move |outcome| {
        live.recent.with(|r| format::rate(r.per_second(r.outcomes.get(outcome))))
    };
    let detail = move || {
        let mut text = format!("{}/s waited for another's", rate_of(Outcome::Coalesced));
        for outcome in [Outcome::Stale, Outcome::Bypassed, Outcome::Missed, Outcome::Failed] {
            if live.recent.with(|recent| recent.outcomes.get(outcome)) > 0 {
                text.push_str(&format!(" · {}/s {}", rate_of(outcome), outcome.as_str()));
            }
        }
        text
    };
    let text = LayerText {
        class: "source",
        name: "Database",
        made_of: "the source",
        answered: Signal::derive(move || format!("{} loads/s", rate_of(Outcome::Loaded))),
        detail: Signal::derive(detail),
    };
    let p = move |q| quantile(live, q, |window, q| window.load_latency.quantile_ns(q));
    let failed = move || live.recent.with(|recent| format::count(recent.loads_failed));
    let numbers = vec![
        (hints::LOAD_P50, p(0.5)),
        (hints::LOAD_P99, p(0.99)),
        (hints::LOADS_FAILED, Signal::derive(failed)),
    ];
    view! {
        <Layer
            text=text
            parts=Memo::new(move |_| live.recent.with(parts_below))
            spark=spark_of(live, Outcome::Loaded)
            numbers=numbers
            absence=Signal::stored(None)
        />
    }
}

fn answered_per_s(live: Live, outcome: Outcome) -> Signal<String> {
    Signal::derive(move || {
        live.recent.with(|recent| {
            format!("{}/s answered", format::rate(recent.per_second(recent.outcomes.get(outcome))))
        })
    })
}

fn quantile(live: Live, q: f64, of: fn(&Window, f64) -> Option<u64>) -> Signal<String> {
    Signal::derive(move || live.recent.with(|recent| format::duration(of(recent, q))))
}

fn spark_of(live: Live, outcome: Outcome) -> Memo<String> {
    Memo::new(move |_| {
        live.points.with(|points| spark_path(points, |point| point.outcomes.get(outcome)))
    })
}

fn parts_below(recent: &Window) -> Vec<Segment> {
    let below = Sinking::of(&recent.outcomes).below;
    let part = |outcome: Outcome| Segment {
        class: BANDS[outcome as usize].class,
        share: share(recent.outcomes.get(outcome), below).unwrap_or(0.0),
    };
    BELOW.map(part).to_vec()
}

fn in_flight(frame: &Frame) -> u64 {
    frame.caches.iter().map(|cache| cache.report.loads.in_flight).sum()
}

fn fullest(frame: &Frame) -> Option<String> {
    let shares = frame.caches.iter().filter_map(|cache| {
        Some((crate::cards::l1::fullness(&cache.report.l1)?, cache.report.cache.as_str()))
    });
    let (share, name) = shares.max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(format!("{name} {}", format::percent(Some(share))))
}

fn memory(frame: &Frame) -> String {
    match (frame.redis.used_memory_bytes, frame.redis.max_memory_bytes) {
        (Some(used), Some(max)) if max > 0 => format::percent(share(used, max)),
        (Some(used), _) => format::bytes(used),
        (None, _) => DASH.to_owned(),
    }
}
