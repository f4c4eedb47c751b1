use leptos::prelude::*;
use strata_report::{Marker, Saved};

use super::view::CacheView;
use crate::addresses::{at, cache_address, encode};
use crate::format::{self, DASH};
use crate::hints;
use crate::screens::page_frame::{export_links, range_links, titled_card};
use crate::screens::{chart, words};
use crate::ui::Number;

/// Which cache this is, the others, and how far back its charts look.
pub(super) fn head(view: &CacheView<'_>, names: &[String]) -> AnyView {
    let range = view.past.range;
    let link = |name: &String| {
        let href = format!("{}?range={}", cache_address(name), range.as_str());
        let current = (name == view.cache).then_some("page");
        view! { <a href=href aria-current=current>{name.clone()}</a> }
    };
    let links = names.iter().map(link).collect_view();
    let path = cache_address(view.cache);
    let search = at(&format!("/keys?cache={}", encode(view.cache)));
    let api = format!("/api/v1/caches/{}", encode(view.cache));
    let (csv, json) =
        (format!("{api}/history?range={}&format=csv", range.as_str()), format!("{api}/report"));
    let known_ms = view.details.at_ms.saturating_sub(view.past.since_ms);
    let short = known_ms < range.span().as_millis() as u64;
    let since = short.then(|| {
        format!("Counting for {}. Earlier numbers are not known.", format::span(known_ms))
    });
    let attached = view.details.frame.attached.then(|| {
        view! {
            <p class="small since"><span class="badge">"lab"</span>" A cache of an experiment. It disappears with the experiment, and sums, alerts and metrics leave it out."</p>
        }
    });
    let frozen = view.details.frame.frozen_ms.map(|ms| {
        let since = format::span(ms);
        view! {
            <p class="small since"><span class="badge bad">"lost"</span>" No node that has this cache is heard. Its numbers are those of "{since}" ago, and are in no sum."</p>
        }
    });
    view! {
        <div class="page-head">
            <h1>{view.cache.to_owned()}</h1>
            <nav class="choice" aria-label="Caches">{links}</nav>
            <a class="more" href=search>"Search its keys"</a>
            {range_links(&path, range)}
            {export_links(csv, json)}
            <p class="small since">{since}</p>
            {attached}
            {frozen}
        </div>
        {operator_actions(view)}
    }
    .into_any()
}

// What operators did, beside the lines on the charts that mark it.
fn operator_actions(view: &CacheView<'_>) -> impl IntoView + use<> {
    let markers = &view.past.markers;
    let line = |(nth, marker): (usize, &Marker)| {
        view! { <li>{words::when(marker.at_ms, nth)}" UTC · "{chart::operator_action(marker)}</li> }
    };
    let lines = markers.iter().rev().take(5).enumerate().map(line).collect_view();
    let more = markers.len().saturating_sub(5);
    (!markers.is_empty()).then(|| {
        view! {
            <section class="operator-actions" aria-label="What operators did in this time">
                <ul>{lines}</ul>
                {(more > 0).then(|| view! { <p><a href=at("/activity")>{more}" more in the activity"</a></p> })}
            </section>
        }
    })
}

/// The few numbers to look at first.
pub(super) fn now(view: &CacheView<'_>) -> AnyView {
    let frame = &view.details.frame;
    let recent = &frame.recent;
    let answered = recent.outcomes.l1_hit + recent.outcomes.l2_hit;
    let numbers = [
        (hints::READS, format::rate(recent.per_second(recent.outcomes.reads()))),
        (hints::WITHOUT_SOURCE, format::percent(words::share(answered, recent.outcomes.reads()))),
        (hints::LOAD_P95, format::duration(recent.load_latency.quantile_ns(0.95))),
        (hints::IN_FLIGHT, format::count(frame.report.loads.in_flight)),
        (hints::LOADS_FAILED, format::count(recent.loads_failed)),
    ];
    let numbers = numbers
        .map(|(hint, value)| view! { <Number hint=hint value=Signal::stored(value) /> })
        .into_iter()
        .collect_view();
    titled_card(
        "now",
        "Now",
        "the last seconds".to_owned(),
        view! {
            <dl class="numbers">{numbers}</dl>
            <h3>"Database time saved"</h3>
            <p class="saved">{saved(view.details.saved.as_ref())}</p>
            <p class="small">
                "Hits on both levels, multiplied by what a load takes: from the fastest quarter of loads to the slowest quarter. Since the nodes started."
            </p>
        },
    )
}

fn saved(saved: Option<&Saved>) -> String {
    match saved {
        None => format!("{DASH} (no load was measured yet)"),
        Some(saved) => format!(
            "{} to {} for {}",
            format::span(saved.low_ms),
            format::span(saved.high_ms),
            format::plural(saved.hits, "hit", "hits"),
        ),
    }
}
