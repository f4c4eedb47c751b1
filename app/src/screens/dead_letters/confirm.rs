use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_report::{DeadLetterPage, DeadLetterQuery};

use super::list::{count, fields};
use super::search::address;
use super::view::DeadLettersView;
use crate::addresses::at;
use crate::api::DropDeadLetters;
use crate::screens::page_frame::titled_card;
use crate::screens::words;

/// Asks before dead letters are dropped, since they are the only copy of acknowledged writes.
pub(super) fn card(view: &DeadLettersView<'_>, page: &DeadLetterPage) -> AnyView {
    let count = count(view.query, page, view.is_first);
    let refusal = view.refusal.clone();
    let again = view.query.id.is_none().then(|| {
        view! {
            <div class="field">
                <label for="typed">"Type the name of the cache to confirm"</label>
                <input id="typed" name="typed" class="mono" required=true autocomplete="off" spellcheck="false" />
            </div>
        }
    });
    let (what, button) = match (view.query.id.is_some(), page.rows.first()) {
        (true, Some(row)) => {
            let key = words::visible(&row.key);
            (format!("the dead letter of key {key}"), "Drop it".to_owned())
        }
        (true, None) => (String::new(), String::new()),
        (false, _) => (count.clone(), format!("Drop {count}")),
    };
    if what.is_empty() {
        return titled_card(
            "drop",
            "Drop",
            "nothing was changed",
            view! { <p class="empty">"There is no such dead letter any more."</p> },
        );
    }
    let back = match &view.query.id {
        Some(_) => address(view.cache, &DeadLetterQuery::default(), &[]),
        None => address(view.cache, view.query, &[]),
    };
    let (lost, keep) = match view.query.id.is_some() || page.rows.len() == 1 {
        true => (
            "The database does not have its value, and nothing else keeps it: the write is lost.",
            "Keep it",
        ),
        false => (
            "The database does not have their values, and nothing else keeps them: the writes are lost.",
            "Keep them",
        ),
    };
    titled_card(
        "drop",
        "Drop",
        "nothing was changed yet",
        view! {
            <p>"Drop "<strong>{what}</strong>" of cache "<strong>{view.cache.to_owned()}</strong>"? "{lost}</p>
            <form action=at(DropDeadLetters::PATH) method="post" class="confirm">
                {fields(view.cache, &as_listed(view.query, page))}
                {again}
                <div class="acts">
                    <button type="submit" class="button heavy" disabled=refusal.is_some() data-testid="confirm">{button}</button>
                    <a class="button" href=back>{keep}</a>
                </div>
                <p class="failure" role="alert"></p>
                <p class="refusal">{refusal.clone()}</p>
            </form>
        },
    )
}

/// The dead letters that the list showed: none that came later.
fn as_listed(query: &DeadLetterQuery, page: &DeadLetterPage) -> DeadLetterQuery {
    if query.id.is_some() {
        return query.clone();
    }
    let until_ms = [query.until_ms, page.until_ms].into_iter().flatten().min();
    DeadLetterQuery { until_ms, ..query.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_confirmed_is_what_was_there_when_the_page_was_drawn() {
        let query = DeadLetterQuery::default();
        let view = DeadLettersView { cache: "users", query: &query, is_first: true, refusal: None };
        let page = DeadLetterPage { total: 2, until_ms: Some(4_711), ..DeadLetterPage::default() };
        let html = Owner::new().with(|| card(&view, &page).to_html());
        assert!(html.contains("&quot;until_ms&quot;:4711"), "{html}");
        let earlier = DeadLetterQuery { until_ms: Some(7), ..query.clone() };
        assert_eq!(as_listed(&earlier, &page), earlier);
        let one = DeadLetterQuery { id: Some("1-0".to_owned()), ..query };
        assert_eq!(as_listed(&one, &page), one);
    }
}
