use leptos::prelude::*;
use strata_report::{Frame, L1Report};

use crate::format::{self, DASH};
use crate::hints;
use crate::live::Live;
use crate::ui::{Card, Label, Meter};

/// What L1 holds, against what it may hold; nodes added up, since each has its own.
#[component]
pub(crate) fn L1() -> impl IntoView {
    let live = expect_context::<Live>();
    let note = move || match live.frame.with(|frame| frame.node_sums.nodes) {
        1 => "1 node".to_owned(),
        n => format!("{n} nodes added up"),
    };
    let entries = move || live.frame.with(entries);
    let weight = move || live.frame.with(weight);
    view! {
        <Card name="l1" title="L1 holds" note=Signal::derive(note)>
            <dl class="holds">
                <div class="number big">
                    <dt>
                        <Label hint=hints::L1_ENTRIES />
                    </dt>
                    <dd data-testid="l1-entries" data-value=entries>
                        {move || format::estimate(entries())}
                    </dd>
                </div>
                <div class="number big">
                    <dt>
                        <Label hint=hints::L1_WEIGHT />
                    </dt>
                    <dd data-testid="l1-weight" data-value=weight>
                        {move || weight().map_or(DASH.to_owned(), |n| format!("~{}", format::bytes(n)))}
                    </dd>
                </div>
            </dl>
            <ul class="fills">
                <For each=move || live.caches.get() key=String::clone let:name>
                    <Fill name=name />
                </For>
            </ul>
        </Card>
    }
    .into_any()
}

/// How full L1 is of what bounds it, between 0 and 1; `None` where nothing does.
pub(super) fn fullness(l1: &L1Report) -> Option<f64> {
    let of = |now: u64, max: u64| (max > 0).then(|| (now as f64 / max as f64).min(1.0));
    match (l1.weight_bytes, l1.weight_max_bytes, l1.entries_max) {
        (Some(now), Some(max), _) => of(now, max),
        (_, _, Some(max)) => of(l1.entries, max),
        _ => None,
    }
}

#[component]
fn Fill(name: String) -> impl IntoView {
    let live = expect_context::<Live>();
    let label = format!("L1 of {name}");
    let held = live.cache_text(&name, |cache| held(&cache.report.l1));
    let share = live.cache_share(&name, |cache| fullness(&cache.report.l1));
    view! {
        <li>
            <span>{name}</span>
            <span class="of">{held}</span>
            <Meter label=label class="l1" share=share />
        </li>
    }
}

fn held(l1: &L1Report) -> String {
    match (l1.weight_bytes, l1.weight_max_bytes, l1.entries_max) {
        (Some(now), Some(max), _) => format!("~{} of {}", format::bytes(now), format::bytes(max)),
        (_, _, Some(max)) => format!("{} of {}", format::estimate(l1.entries), format::count(max)),
        _ => format!("{}, no limit", format::estimate(l1.entries)),
    }
}

fn entries(frame: &Frame) -> u64 {
    frame.own_caches().map(|cache| cache.report.l1.entries).sum()
}

fn weight(frame: &Frame) -> Option<u64> {
    frame.own_caches().filter_map(|cache| cache.report.l1.weight_bytes).reduce(|a, b| a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fullness_follows_what_bounds_the_cache() {
        let by_entries = L1Report { entries: 50, entries_max: Some(200), ..L1Report::default() };
        assert_eq!(fullness(&by_entries), Some(0.25));
        let by_weight = L1Report {
            entries: 50,
            weight_bytes: Some(60),
            weight_max_bytes: Some(80),
            ..L1Report::default()
        };
        assert_eq!(fullness(&by_weight), Some(0.75));
        assert_eq!(fullness(&L1Report::default()), None);
    }
}
