use leptos::prelude::*;

use super::services::service_menu;
use crate::addresses::{at, leads_to};
use crate::application_page::{environment, home_link};
use crate::pages::in_navigation;
use crate::parts::{LIVE_LINE, VISITOR};
use crate::visitor::theme::Theme;

/// What stands above every page: the navigation, whether numbers are live, and the visitor.
#[component]
pub(crate) fn TopBar(
    /// The path of the page.
    path: String,
    /// The colours.
    theme: Theme,
) -> impl IntoView {
    let links = in_navigation().map(|(page, letter)| {
        let current = leads_to(page.path, &path).then_some("page");
        view! {
            <a href=at(page.path) data-letter=letter aria-current=current>
                {page.title}
            </a>
        }
    });
    view! {
        <header class="top-bar">
            {home_link()}
            {brand()}
            {service_menu()}
            {environment()}
            <nav aria-label="Pages">{links.collect_view()}</nav>
            {LIVE_LINE.draw()}
            <div class="top-bar-tools">
                <button type="button" class="button" id="open-palette" popovertarget="palette">
                    "Go to…"
                </button>
                <button type="button" class="button theme">{format!("Theme: {}", theme.as_str())}</button>
                <button type="button" class="button" id="open-help" popovertarget="help">
                    "Help"
                </button>
                {VISITOR.draw()}
            </div>
        </header>
    }
    .into_any()
}

/// Our name, which leads to the first page.
pub(super) fn brand() -> impl IntoView {
    view! {
        <a class="brand" href=at("/")>
            <svg class="mark" viewBox="0 0 22 18" aria-hidden="true">
                <rect class="l1" width="22" height="4" rx="1" />
                <rect class="l2" y="7" width="15" height="4" rx="1" />
                <rect class="source" y="14" width="8" height="4" rx="1" />
            </svg>
            "Strata"
        </a>
    }
}
