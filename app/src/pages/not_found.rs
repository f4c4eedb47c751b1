use axum::http::StatusCode;
use leptos::prelude::*;

use crate::screens::PageHtml;

use crate::addresses::at;

/// What stands where no page is.
pub(super) fn not_found() -> PageHtml {
    let page = view! {
        <div id="page" class="not-found">
            <h1>"There is no such page"</h1>
            <p>
                "The address may be mistyped. " <a href=at("/")>"The overview"</a>
                " shows what there is."
            </p>
        </div>
    };
    PageHtml::new(StatusCode::NOT_FOUND, page.to_html())
}
