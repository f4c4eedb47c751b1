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

#[cfg(test)]
mod tests {
    use super::*;

    fn buttons(look: &KeyLook, refusal: Option<&str>) -> (String, Vec<bool>) {
        let refusal = refusal.map(str::to_owned);
        let html = Owner::new().with(|| head(look, refusal).to_html());
        let forms = html.split("<button type=\"submit\"").skip(1);
        let disabled =
            forms.map(|rest| rest.split('>').next().is_some_and(|tag| tag.contains("disabled")));
        let disabled = disabled.collect();
        (html, disabled)
    }

    #[test]
    fn where_no_node_loads_keys_that_button_alone_is_disabled_and_says_why() {
        let why = "No node of this cache lets dashboards load keys.";
        let look = KeyLook { no_refresh: Some(why.to_owned()), ..KeyLook::default() };
        let (html, disabled) = buttons(&look, None);
        assert_eq!(disabled, [true, false, false], "{html}");
        assert!(html.contains("aria-describedby=\"no-refresh\""), "{html}");
        assert!(html.contains(&format!("id=\"no-refresh\" class=\"small\">{why}")), "{html}");
        assert_eq!(buttons(&KeyLook::default(), None).1, [false; 3]);
    }

    #[test]
    fn who_may_not_act_is_told_that_and_not_what_a_node_allows() {
        let look = KeyLook { no_refresh: Some("No node loads.".to_owned()), ..KeyLook::default() };
        let (html, disabled) = buttons(&look, Some("Only an operator may."));
        assert_eq!(disabled, [true; 3], "{html}");
        assert!(
            html.contains("Only an operator may.") && !html.contains("No node loads."),
            "{html}"
        );
    }
}
