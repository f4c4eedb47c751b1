use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_report::KeyLook;

use super::{copies, history};
use crate::addresses::{at, encode, key_address};
use crate::api::{InvalidateKey, MarkKeyStale, RefreshKey};
use crate::screens::page_frame::titled_card;
use crate::screens::words;

// An act: where it is sent, its words, what it does, the class of its button.
type KeyAction = (&'static str, &'static str, &'static str, &'static str);

const KEY_ACTIONS: [KeyAction; 3] = [
    (
        RefreshKey::PATH,
        "Refresh now",
        "Reloads it. Readers get the older value until then.",
        "button",
    ),
    (
        MarkKeyStale::PATH,
        "Mark as stale",
        "Readers get the older value while one of them loads the new one.",
        "button",
    ),
    (
        InvalidateKey::PATH,
        "Invalidate",
        "Removes it from both levels on every node; the next read loads it.",
        "button heavy",
    ),
];

/// One key, looked at everywhere.
pub(super) fn cards(look: &KeyLook, refusal: Option<String>) -> AnyView {
    view! {
        {head(look, refusal)}
        {copies::card(look)}
        {history::card(look)}
    }
    .into_any()
}

fn head(look: &KeyLook, refusal: Option<String>) -> AnyView {
    let here = key_address(&look.cache, &look.key);
    let api = at(&format!("/api/v1/caches/{}/keys/{}", encode(&look.cache), encode(&look.key)));
    let group = look
        .group
        .clone()
        .map(|group| view! { <p>"Group "<span class="mono">{words::visible(&group)}</span></p> });
    let no_refresh = look.no_refresh.clone().filter(|_| refusal.is_none());
    let act = |(path, words, meaning, class): KeyAction| {
        let because = (path == RefreshKey::PATH && no_refresh.is_some()).then_some("no-refresh");
        let disabled = refusal.is_some() || because.is_some();
        view! {
            <form action=at(path) method="post" title=meaning>
                <input type="hidden" name="cache" value=look.cache.clone() />
                <input type="hidden" name="key" value=look.key.clone() />
                <button type="submit" class=class disabled=disabled aria-describedby=because>{words}</button>
                <p class="failure" role="alert"></p>
            </form>
        }
    };
    let acts = KEY_ACTIONS.map(act).into_iter().collect_view();
    let note = format!("in cache {}", look.cache);
    titled_card(
        "key-head",
        "Key",
        note,
        view! {
            <p class="key-name mono" translate="no" data-testid="key-name">{words::visible(&look.key)}</p>
            {group}
            <div class="acts">
                {acts}
                <a class="button" href=here>"Look again"</a>
                <button type="button" class="button needs-script" data-copy=look.key.clone()>"Copy the key"</button>
                <a class="more" href=api rel="external">"As JSON"</a>
            </div>
            <p class="refusal">{refusal.clone()}</p>
            {no_refresh.clone().map(|why| view! { <p class="small" id="no-refresh">{why}</p> })}
        },
    )
}
