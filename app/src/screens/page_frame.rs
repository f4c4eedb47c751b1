use axum::http::StatusCode;
use leptos::prelude::*;
use strata_report::Range;

use crate::addresses::at;
use crate::ui::Card;

/// A page as HTML.
pub(crate) struct PageHtml {
    /// The status of the answer that carries it.
    pub(crate) status: StatusCode,
    /// What stands inside of `<main>`.
    pub(crate) html: String,
    /// The lesson that has been gone through, where that is what it shows.
    #[cfg(feature = "lab")]
    pub(crate) learned: Option<&'static str>,
}

/// What a page is, beside its content.
pub(super) struct PageFrame {
    /// Its class.
    pub(super) class: &'static str,
    /// After how many seconds it is drawn again; `None` is when somebody asks.
    pub(super) every_s: Option<u32>,
}

impl PageFrame {
    /// Writes a page.
    pub(super) fn draw(&self, status: StatusCode, content: impl IntoView) -> PageHtml {
        let class = format!("page {}", self.class);
        let every_s = self.every_s.map(|s| s.to_string());
        let html = view! {
            <div id="page" class=class data-every-s=every_s>
                {content.into_any()}
            </div>
        }
        .to_html();
        PageHtml::new(status, html)
    }
}

impl PageHtml {
    /// One of this status.
    pub(crate) fn new(status: StatusCode, html: String) -> Self {
        Self {
            status,
            html,
            #[cfg(feature = "lab")]
            learned: None,
        }
    }
}

/// The choice of how far back charts look, as links.
pub(super) fn range_links(path: &str, chosen: Range) -> impl IntoView + use<> {
    let link = |range: Range| {
        let current = (range == chosen).then_some("true");
        let href = format!("{path}?range={}", range.as_str());
        view! { <a href=href aria-current=current>{in_words(range)}</a> }
    };
    let links = Range::ALL.map(link).into_iter().collect_view();
    view! { <nav class="choice" aria-label="How far back">{links}</nav> }
}

/// Links that take a table away with them, by their paths.
pub(super) fn export_links(csv: String, json: String) -> impl IntoView {
    view! {
        <p class="export">
            <a href=at(&csv) download="">"CSV"</a>
            <a href=at(&json) download="">"JSON"</a>
        </p>
    }
}

/// A range as people say it.
pub(super) fn in_words(range: Range) -> &'static str {
    match range {
        Range::Minute => "1 min",
        Range::FifteenMinutes => "15 min",
        Range::TwoHours => "2 h",
        Range::Day => "1 day",
    }
}

/// Who did not answer, where not all nodes have.
pub(super) fn partial_answers(partial: Option<&String>) -> Option<AnyView> {
    let said = partial?.clone();
    Some(view! { <p class="small" data-testid="partial">{said}</p> }.into_any())
}

/// A titled part of a page; its note says what holds for all its numbers.
pub(super) fn titled_card(
    name: &'static str,
    title: &'static str,
    note: impl Into<String>,
    body: impl IntoView + 'static,
) -> AnyView {
    let body = body.into_any();
    view! { <Card name=name title=title note=Signal::stored(note.into())>{body}</Card> }.into_any()
}
