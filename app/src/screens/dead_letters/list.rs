use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_report::{DeadLetterPage, DeadLetterQuery, DeadLetterRow};

use super::search::{address, is_all};
use super::view::DeadLettersView;
use crate::addresses::{at, key_address};
use crate::api::RedriveDeadLetters;
use crate::format;
use crate::screens::keys::shown_value;
use crate::screens::page_frame::{partial_answers, titled_card};
use crate::screens::words;

/// The dead letters of a page, and what can be done with all that were chosen.
pub(super) fn card(view: &DeadLettersView<'_>, page: &DeadLetterPage) -> AnyView {
    let rows = page.rows.iter().enumerate().map(|row| letter(view, row)).collect_view();
    let more = page.next.as_ref().map(|next| {
        let href = address(view.cache, view.query, &[("after", next.as_str())]);
        view! { <a class="button" href=href>"Later ones"</a> }
    });
    let nothing = page.rows.is_empty().then(|| {
        let text = match (page.total, page.next.is_some()) {
            (0, _) => "There are no dead letters.",
            (_, true) => "None among those that were looked at: go on with later ones.",
            (_, false) => "None of them was chosen.",
        };
        view! { <p class="empty">{text}</p> }
    });
    let total = format::plural(page.total, "dead letter", "dead letters");
    titled_card(
        "letters",
        "Dead letters",
        format!("oldest first; {total} in all; times are UTC"),
        view! {
            {partial_answers(page.partial.as_ref())}
            {(page.total > 0).then(|| all(view, page))}
            {nothing}
            <ul class="letter-list" data-testid="letters">{rows}</ul>
            <p class="acts">
                {more}
                <a class="button" href=address(view.cache, view.query, &[])>"Look again"</a>
            </p>
        },
    )
}

fn letter(
    view: &DeadLettersView<'_>,
    (nth, row): (usize, &DeadLetterRow),
) -> impl IntoView + use<> {
    let one = one(row);
    let drop = address(view.cache, &one, &[("act", "drop")]);
    let key = match row.key.is_empty() {
        true => view! { <span class="empty">"its key has no text"</span> }.into_any(),
        false => {
            view! { <a class="mono" href=key_address(view.cache, &row.key)>{words::visible(&row.key)}</a> }
                .into_any()
        }
    };
    let node = (!row.node.is_empty()).then(|| format!(" · in memory of node {}", row.node));
    let tries = format::plural(row.tries.into(), "try", "tries");
    let facts = format!(" · {tries} · row version {}", row.version);
    view! {
        <li class="letter" data-key=row.key.clone()>
            <p class="letter-key">{key}</p>
            <p class="reason">{reason(row)}</p>
            <p class="small">{words::dated(row.since_ms, nth)}{facts}{node}</p>
            {value(row)}
            <div class="acts">
                <form action=at(RedriveDeadLetters::PATH) method="post">
                    {fields(view.cache, &one)}
                    <button type="submit" class="button" disabled=view.refusal.is_some()>"Redrive"</button>
                    <p class="failure" role="alert"></p>
                </form>
                <a class="button" href=drop>"Drop…"</a>
            </div>
        </li>
    }
}

fn reason(row: &DeadLetterRow) -> String {
    let hidden = || "Its reason is not shown.".to_owned();
    if row.reason.is_empty() { hidden() } else { words::visible(&row.reason) }
}

fn value(row: &DeadLetterRow) -> AnyView {
    match &row.value {
        Some(value) => {
            let (text, is_cut) = shown_value(value);
            view! {
                <details>
                    <summary>"Value"</summary>
                    <pre class="value" tabindex="0" role="region" aria-label=format!("Value of {}", words::visible(&row.key))>{text}</pre>
                    {is_cut.then(|| view! { <p class="small">"Cut here; the whole value is in the JSON of this page."</p> })}
                </details>
            }
            .into_any()
        }
        None => {
            view! { <p class="small">"Its value is not shown, or cannot be read."</p> }.into_any()
        }
    }
}

/// What can be done with all that were chosen.
fn all(view: &DeadLettersView<'_>, page: &DeadLetterPage) -> impl IntoView + use<> {
    let count = count(view.query, page, view.is_first);
    let refused = view.refusal.is_some() || count.is_empty();
    let drop = address(view.cache, view.query, &[("act", "drop")]);
    (!count.is_empty()).then(|| {
        view! {
            <div class="acts">
                <form action=at(RedriveDeadLetters::PATH) method="post">
                    {fields(view.cache, view.query)}
                    <button type="submit" class="button" disabled=refused data-testid="redrive-all">{format!("Redrive {count}")}</button>
                    <p class="failure" role="alert"></p>
                </form>
                <a class="button" href=drop data-testid="drop-all">{format!("Drop {count}…")}</a>
            </div>
            <p class="refusal">{view.refusal.clone()}</p>
        }
    })
}

/// How many a button is about, in words; empty where it is about none.
pub(super) fn count(query: &DeadLetterQuery, page: &DeadLetterPage, is_first: bool) -> String {
    let n_listed = page.rows.len() as u64;
    match (is_all(query), page.next.is_some() || !is_first) {
        (true, _) if page.total == 1 => "the only one".to_owned(),
        (true, _) => format!("all {}", format::count(page.total)),
        (false, true) => "all that were chosen".to_owned(),
        (false, false) if n_listed == 0 => String::new(),
        (false, false) if n_listed == 1 => "the one that was chosen".to_owned(),
        (false, false) => format!("the {} that were chosen", format::count(n_listed)),
    }
}

/// The fields of a form that is about these dead letters.
pub(super) fn fields(cache: &str, query: &DeadLetterQuery) -> impl IntoView + use<> {
    // One field for all of them, since it is this program that reads it again.
    let query = serde_json::to_string(query).unwrap_or_default();
    view! {
        <input type="hidden" name="cache" value=cache.to_owned() />
        <input type="hidden" name="query" value=query />
    }
}

/// The query that is about one of them.
fn one(row: &DeadLetterRow) -> DeadLetterQuery {
    let node = Some(row.node.clone()).filter(|node| !node.is_empty());
    DeadLetterQuery { id: Some(row.id.clone()), node, ..DeadLetterQuery::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(n_rows: usize, total: u64, next: Option<&str>) -> DeadLetterPage {
        let rows = vec![DeadLetterRow::default(); n_rows];
        let next = next.map(str::to_owned);
        DeadLetterPage { rows, total, next, ..DeadLetterPage::default() }
    }

    #[test]
    fn a_button_names_the_number_where_it_is_known() {
        let all = DeadLetterQuery::default();
        let some = DeadLetterQuery { key: Some("4*".to_owned()), ..all.clone() };
        let said = |query, page: DeadLetterPage, is_first| count(query, &page, is_first);
        assert_eq!(said(&all, page(50, 1_200, Some("x")), true), "all 1\u{202f}200");
        assert_eq!(said(&all, page(1, 1, None), true), "the only one");
        assert_eq!(said(&some, page(3, 9, None), true), "the 3 that were chosen");
        assert_eq!(said(&some, page(1, 9, None), true), "the one that was chosen");
        assert_eq!(said(&some, page(50, 90, Some("x")), true), "all that were chosen");
        assert_eq!(said(&some, page(3, 90, None), false), "all that were chosen");
        assert_eq!(said(&some, page(0, 9, None), true), "");
    }

    #[test]
    fn script_in_a_dead_letter_stays_text() {
        let row = DeadLetterRow {
            id: "1-0".to_owned(),
            key: "<script>".to_owned(),
            value: Some("\"<script>\"".to_owned()),
            reason: "<script>".to_owned(),
            ..DeadLetterRow::default()
        };
        let page = DeadLetterPage { rows: vec![row], total: 1, ..DeadLetterPage::default() };
        let query = DeadLetterQuery::default();
        let view = DeadLettersView { cache: "users", query: &query, is_first: true, refusal: None };
        let html = Owner::new().with(|| card(&view, &page).to_html());
        assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
    }

    #[test]
    fn who_may_not_act_is_told_why_and_has_no_button() {
        let page = page(1, 1, None);
        let query = DeadLetterQuery::default();
        let refusal = Some("Only an operator may.".to_owned());
        let view = DeadLettersView { cache: "users", query: &query, is_first: true, refusal };
        let html = Owner::new().with(|| card(&view, &page).to_html());
        let buttons: Vec<_> = html.split("<button").skip(1).collect();
        assert_eq!(buttons.len(), 2);
        assert!(
            buttons.iter().all(|button| button.split('>').next().unwrap().contains("disabled"))
        );
        assert!(html.contains("Only an operator may."));
    }
}
