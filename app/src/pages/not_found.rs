use leptos::prelude::*;
use leptos_meta::Title;

use crate::addresses::at;

/// What stands where no page is.
#[component]
pub(crate) fn NotFoundPage() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    view! {
        <Title text="Not found" />
        <main id="main" class="not-found">
            <h1>"There is no such page"</h1>
            <p>
                "The address may be mistyped. " <a href=at("/")>"The overview"</a>
                " shows what there is."
            </p>
        </main>
    }
    .into_any()
}
