use leptos::prelude::*;
use strata_report::{Frame, Outcome, Window};

use super::layer::{Absence, Layer, LayerText};
use super::reads_by_layer::{BELOW, ReadsByLayer, share};
use crate::cards::outcomes::BANDS;
use crate::charts::spark_path;
use crate::format::{self, DASH};
use crate::hints;
use crate::live::Live;
use crate::ui::Segment;

/// What L1 answered.
#[component]
pub(super) fn L1Layer() -> impl IntoView {
    let live = expect_context::<Live>();
    let reads_by_layer = move || reads_by_layer(live);
    let answered = move || match reads_by_layer().reads {
        0 => "no reads".to_owned(),
        _ => format!("{}/s answered", rate_of(live, Outcome::L1Hit)),
    };
    let text = LayerText {
        class: "l1",
        name: "L1",
        made_of: "moka, per process",
        answered: Signal::derive(move || format::percent(reads_by_layer().l1_share())),
        detail: Signal::derive(answered),
    };
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
            parts=Signal::derive(move || vec![part("l1", reads_by_layer().l1_share())])
            spark=spark_of(live, Outcome::L1Hit)
            numbers=numbers
            absence=Signal::stored(None::<Absence>)
        />
    }
}

/// What L2 answered.
#[component]
pub(super) fn L2Layer() -> impl IntoView {
    let live = expect_context::<Live>();
    let reads_by_layer = move || reads_by_layer(live);
    let answered = move || {
        let ReadsByLayer { l2, reads, .. } = reads_by_layer();
        if reads_by_layer().below_l1() == 0 {
            return "no reads came this far".to_owned();
        }
        let of_all = format::percent(share(l2, reads));
        format!("{}/s answered · {of_all} of all reads", rate_of(live, Outcome::L2Hit))
    };
    let text = LayerText {
        class: "l2",
        name: "L2",
        made_of: "Redis, shared",
        answered: Signal::derive(move || format::percent(reads_by_layer().l2_share())),
        detail: Signal::derive(answered),
    };
    let p = move |q| quantile(live, q, |window, q| window.l2_latency.quantile_ns(q));
    let numbers = vec![
        (hints::L2_P50, p(0.5)),
        (hints::L2_P99, p(0.99)),
        (hints::MEMORY, Signal::derive(move || live.frame.with(memory))),
    ];
    view! {
        <Layer
            text=text
            parts=Signal::derive(move || vec![part("l2", reads_by_layer().l2_share())])
            spark=spark_of(live, Outcome::L2Hit)
            numbers=numbers
            absence=Signal::derive(move || live.frame.with(absence))
        />
    }
}

/// What ended below both levels: loads, and every other outcome.
#[component]
pub(super) fn SourceLayer() -> impl IntoView {
    let live = expect_context::<Live>();
    let reads_by_layer = move || reads_by_layer(live);
    let loads = move || match reads_by_layer().reads {
        0 => DASH.to_owned(),
        _ => format!("{} loads/s", rate_of(live, Outcome::Loaded)),
    };
    let others = move || match reads_by_layer().below {
        0 => "no reads came this far".to_owned(),
        _ => others(live),
    };
    let text = LayerText {
        class: "source",
        name: "Database",
        made_of: "the source",
        answered: Signal::derive(loads),
        detail: Signal::derive(others),
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
            parts=Signal::derive(move || live.recent.with(parts_below))
            spark=spark_of(live, Outcome::Loaded)
            numbers=numbers
            absence=Signal::stored(None::<Absence>)
        />
    }
}

/// The reads of the last seconds, by the layer that answered.
pub(super) fn reads_by_layer(live: Live) -> ReadsByLayer {
    live.recent.with(|recent| ReadsByLayer::of(&recent.outcomes))
}

fn rate_of(live: Live, outcome: Outcome) -> String {
    live.recent.with(|recent| format::rate(recent.per_second(recent.outcomes.get(outcome))))
}

fn quantile(live: Live, q: f64, of: fn(&Window, f64) -> Option<u64>) -> Signal<String> {
    Signal::derive(move || live.recent.with(|recent| format::duration(of(recent, q))))
}

fn spark_of(live: Live, outcome: Outcome) -> Signal<String> {
    Signal::derive(move || {
        live.points.with(|points| spark_path(points, |point| point.outcomes.get(outcome)))
    })
}

// Readers that waited are always told; the rest only where there was any.
fn others(live: Live) -> String {
    let mut text = format!("{}/s waited for a running load", rate_of(live, Outcome::Coalesced));
    for outcome in [Outcome::Stale, Outcome::Bypassed, Outcome::Missed, Outcome::Failed] {
        if live.recent.with(|recent| recent.outcomes.get(outcome)) > 0 {
            text.push_str(&format!(" · {}/s {}", rate_of(live, outcome), outcome.as_str()));
        }
    }
    text
}

fn part(class: &'static str, share: Option<f64>) -> Segment {
    Segment { class, share: share.unwrap_or(0.0) }
}

fn parts_below(recent: &Window) -> Vec<Segment> {
    let below = ReadsByLayer::of(&recent.outcomes).below;
    let of = |outcome| share(recent.outcomes.get(outcome), below);
    BELOW.map(|outcome| part(BANDS[outcome as usize].class, of(outcome))).to_vec()
}

fn absence(frame: &Frame) -> Option<Absence> {
    match (frame.redis.configured, frame.redis.up) {
        (false, _) => Some(Absence::Off),
        (true, false) => Some(Absence::Away),
        (true, true) => None,
    }
}

fn fullest(frame: &Frame) -> Option<String> {
    let shares = frame.own_caches().filter_map(|cache| {
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
