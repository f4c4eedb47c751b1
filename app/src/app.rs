use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::{SsrMode, path};

use crate::api::{FirstPaint, MakeSnapshot, first_paint, first_snapshot};
use crate::drawn::{Again, DrawnPage, Forms};
use crate::live::{Live, LiveStream};
use crate::pages::{NotFoundPage, OverviewPage};
use crate::palette::Palette;
use crate::session::Visitor;
use crate::shortcuts::Shortcuts;
use crate::theme::Theme;
use crate::top_bar::TopBar;
use crate::ui::Part;

/// The whole application: what all pages share, and the page of the address.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let first = SharedValue::new(first_paint).into_inner();
    let snapshot = first_snapshot();
    view! {
        <Part>
            <Page first=first snapshot=snapshot />
        </Part>
    }
}

#[component]
fn Page(
    first: FirstPaint,
    /// The numbers.
    snapshot: MakeSnapshot,
) -> impl IntoView {
    let FirstPaint { session, traffic, alerts, theme, failure } = first;
    let live = Live::provide(snapshot());
    Visitor::provide(session, live);
    provide_context(crate::cards::FirstAlerts(alerts));
    provide_context(crate::cards::FirstTraffic(traffic));
    provide_context(crate::ui::FirstFailure(failure));
    Again::provide();
    let theme = RwSignal::new(theme);
    view! {
        <Title formatter=|title: String| format!("{title} · Strata") />
        <a class="skip" href="#main">"Skip to the page"</a>
        <Part>
            <Routed theme=theme />
        </Part>
    }
}

#[component]
fn Routed(theme: RwSignal<Theme>) -> impl IntoView {
    view! {
        <Router>
            <Part>
                <TopBar theme=theme />
            </Part>
            <Part>
                <FlatRoutes fallback=NotFoundPage>
                    <Route path=path!("/") view=OverviewPage />
                    <Route path=path!("/caches/:cache") view=DrawnPage ssr=SsrMode::Async />
                    <Route path=path!("/keys") view=DrawnPage ssr=SsrMode::Async />
                    <Route path=path!("/nodes") view=DrawnPage ssr=SsrMode::Async />
                    <Route path=path!("/redis") view=DrawnPage ssr=SsrMode::Async />
                    <Route path=path!("/activity") view=DrawnPage ssr=SsrMode::Async />
                    <Route path=path!("/lab") view=DrawnPage ssr=SsrMode::Async />
                    <Route path=path!("/lab/:lesson") view=DrawnPage ssr=SsrMode::Async />
                </FlatRoutes>
            </Part>
            <Part>
                <Shortcuts theme=theme />
            </Part>
            <Part>
                <Palette theme=theme />
            </Part>
            <Part>
                <Forms />
            </Part>
            <Part>
                <LiveStream />
            </Part>
        </Router>
    }
}
