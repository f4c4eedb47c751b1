use leptos::prelude::*;
use strata_report::DeadLetterQuery;

use super::time;
use crate::addresses::{cache_address, dead_letters_address, encode};
use crate::api::ApiError;
use crate::screens::PageRequest;
use crate::screens::page_frame::titled_card;

/// Which dead letters an address is about. Fields of a form that are left empty choose nothing; a
/// time that cannot be read is an error, since without it more would be chosen.
pub(super) fn query(request: &PageRequest) -> Result<DeadLetterQuery, ApiError> {
    let text = |name: &str| request.field(name).map(str::to_owned);
    Ok(DeadLetterQuery {
        id: text("id"),
        node: text("node"),
        key: text("key"),
        reason: text("reason"),
        from_ms: request.field("from").map(moment).transpose()?,
        until_ms: request.field("until").map(moment).transpose()?,
    })
}

fn moment(text: &str) -> Result<u64, ApiError> {
    time::of_field(text).ok_or_else(|| {
        let text: String = text.chars().take(32).collect();
        ApiError::Invalid(format!("read {text:?} as a date and a time"))
    })
}

/// The address of the same dead letters, with more fields after it.
pub(super) fn address(cache: &str, query: &DeadLetterQuery, more: &[(&str, &str)]) -> String {
    let mut address = dead_letters_address(cache);
    let mut add = |name: &str, text: Option<&str>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            address.push_str(&format!("&{name}={}", encode(text)));
        }
    };
    add("id", query.id.as_deref());
    add("node", query.node.as_deref());
    add("key", query.key.as_deref());
    add("reason", query.reason.as_deref());
    add("from", query.from_ms.map(time::in_field).as_deref());
    add("until", query.until_ms.map(time::in_field).as_deref());
    for (name, text) in more {
        add(name, Some(text));
    }
    address
}

/// The same dead letters as the HTTP interface names them, after other fields.
pub(super) fn api_fields(query: &DeadLetterQuery) -> String {
    let text = |name: &str, text: &Option<String>| {
        text.as_ref().map(|text| format!("&{name}={}", encode(text)))
    };
    let time = |name: &str, ms: Option<u64>| ms.map(|ms| format!("&{name}={ms}"));
    let fields = [
        text("id", &query.id),
        text("node", &query.node),
        text("key", &query.key),
        text("reason", &query.reason),
        time("from_ms", query.from_ms),
        time("until_ms", query.until_ms),
    ];
    fields.into_iter().flatten().collect()
}

/// Whether it is about all of them.
pub(super) fn is_all(query: &DeadLetterQuery) -> bool {
    *query == DeadLetterQuery::default()
}

/// The form that chooses some of them.
pub(super) fn card(cache: &str, query: &DeadLetterQuery) -> AnyView {
    let moment = |name: &'static str, label: &'static str, at_ms: Option<u64>| {
        let id = format!("letters-{name}");
        view! {
            <div class="field when">
                <label for=id.clone()>{label}</label>
                <input id=id name=name type="datetime-local" step="1" value=at_ms.map(time::in_field) />
            </div>
        }
    };
    titled_card(
        "letters-search",
        "Choose",
        "empty fields match everything",
        view! {
            <form action=cache_address(cache) method="get" class="ask" role="search" data-testid="choose">
                <input type="hidden" name="view" value="dead-letters" />
                <div class="field grow">
                    <label for="letters-key">"Key pattern"</label>
                    <input id="letters-key" name="key" class="mono" autocomplete="off" autocapitalize="off"
                        spellcheck="false" placeholder="order:17:*" value=query.key.clone() />
                </div>
                <div class="field grow">
                    <label for="letters-reason">"Reason contains"</label>
                    <input id="letters-reason" name="reason" autocomplete="off" spellcheck="false"
                        placeholder="duplicate key" value=query.reason.clone() />
                </div>
                {moment("from", "Since (UTC)", query.from_ms)}
                {moment("until", "Before (UTC)", query.until_ms)}
                <button type="submit" class="button">"Show these"</button>
                <a class="button" href=dead_letters_address(cache)>"Show all"</a>
            </form>
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_cannot_be_read_is_an_error() {
        assert_eq!(moment("2000-02-29T00:00:00"), Ok(951_782_400_000));
        for text in ["yesterday", "2026-13-01T00:00", "951782400000"] {
            assert!(matches!(moment(text), Err(ApiError::Invalid(_))), "{text}");
        }
    }

    #[test]
    fn an_address_holds_what_was_chosen_and_nothing_else() {
        let all = DeadLetterQuery::default();
        assert!(is_all(&all));
        assert_eq!(address("users", &all, &[]), "/caches/users?view=dead-letters");
        assert_eq!(api_fields(&all), "");
        let some = DeadLetterQuery {
            key: Some("4&*".to_owned()),
            from_ms: Some(951_782_400_000),
            ..DeadLetterQuery::default()
        };
        assert!(!is_all(&some));
        let expected =
            "/caches/users?view=dead-letters&key=4%26*&from=2000-02-29T00:00:00&act=drop";
        assert_eq!(address("users", &some, &[("act", "drop")]), expected);
        assert_eq!(api_fields(&some), "&key=4%26*&from_ms=951782400000");
    }
}
