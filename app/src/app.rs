use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

use crate::api::{FirstPaint, first_paint};
use crate::live::Live;
use crate::pages::{NotFoundPage, OverviewPage};
use crate::session::Visitor;
use crate::shortcuts::Shortcuts;
use crate::top_bar::TopBar;

/// The whole application: what all pages share, and the page of the address.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let FirstPaint { snapshot, session, traffic, theme, job, failure } =
        SharedValue::new(first_paint).into_inner();
    let live = Live::provide(snapshot);
    Visitor::provide(session, live);
    provide_context(crate::cards::FirstTraffic(traffic));
    provide_context(crate::cards::FirstJob(job));
    provide_context(crate::ui::FirstFailure(failure));
    let theme = RwSignal::new(theme);
    view! {
        <Title formatter=|title: String| format!("{title} · Strata") />
        <a class="skip" href="#main">"Skip to the page"</a>
        <Router>
            <TopBar theme=theme />
            <FlatRoutes fallback=NotFoundPage>
                <Route path=path!("/") view=OverviewPage />
            </FlatRoutes>
        </Router>
        <Shortcuts theme=theme />
    }
}
