use leptos::prelude::*;
use strata_report::{HotKey, HotKeys};

use super::view::CacheView;
use crate::addresses::key_address;
use crate::format::{self, DASH};
use crate::screens::page_frame::titled_card;
use crate::screens::words;

// More are in the report; a screen is for the first ones.
const N_SHOWN: usize = 12;

/// The keys that are read most.
pub(super) fn hot(view: &CacheView<'_>) -> AnyView {
    let keys = view.details.frame.report.hot_keys.as_ref();
    titled_card(
        "hot-keys",
        "Hot keys",
        note(keys),
        view! {
            {list(view.cache, keys, "Keys that are read most")}
        },
    )
}

/// The keys that L1 has not when they are read.
pub(super) fn missed(view: &CacheView<'_>) -> AnyView {
    let keys = view.details.frame.report.missed_keys.as_ref();
    titled_card(
        "missed-keys",
        "Most missed in L1",
        note(keys),
        view! {
            {list(view.cache, keys, "Keys that L1 misses most")}
        },
    )
}

fn note(keys: Option<&HotKeys>) -> String {
    keys.map_or("not sampled".to_owned(), |keys| {
        let half = format::span(keys.half_life_ms);
        format!("estimated from one read in {}; weighted to the last {half}", keys.sampled_one_in)
    })
}

fn list(cache: &str, keys: Option<&HotKeys>, caption: &'static str) -> AnyView {
    let Some(keys) = keys.filter(|keys| !keys.keys.is_empty()) else {
        return view! { <p class="empty">"Nothing was sampled yet."</p> }.into_any();
    };
    let row = |key: &HotKey| {
        let name = words::visible(&key.key);
        let name = if key.is_cut { format!("{name}…") } else { name };
        // A key that was cut is the beginning of another one.
        let name = match key.is_cut {
            true => view! { <span>{name}</span> }.into_any(),
            false => view! { <a href=key_address(cache, &key.key)>{name}</a> }.into_any(),
        };
        view! {
            <tr>
                <th scope="row" class="mono">{name}</th>
                <td>{format!("~{}", format::rate(Some(key.per_second)))}</td>
                <td>{format::percent(keys.share(key))}</td>
            </tr>
        }
    };
    let rows = keys.keys.iter().take(N_SHOWN).map(row).collect_view();
    let all =
        if keys.per_second > 0.0 { format::rate(Some(keys.per_second)) } else { DASH.to_owned() };
    view! {
        <table class="rows">
            <caption class="unseen">{caption}</caption>
            <thead>
                <tr>
                    <th scope="col">"key"</th>
                    <th scope="col">"per s"</th>
                    <th scope="col">"of ~"{all}"/s"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}
