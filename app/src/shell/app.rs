use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::Router;

use super::first_paint::{FirstPaint, MakeSnapshot, first_paint, first_snapshot};
use super::palette::Palette;
use super::shortcuts::Shortcuts;
use super::top_bar::TopBar;
use crate::live::{Live, LiveStream};
use crate::pages::Pages;
use crate::server_drawn::{Forms, Refresh};
use crate::ui::LivePart;
use crate::visitor::Visitor;
use crate::visitor::theme::Theme;

/// The whole application: what all pages share, and the page of the address.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let first = SharedValue::new(first_paint).into_inner();
    let snapshot = first_snapshot();
    view! {
        <LivePart>
            <Page first=first snapshot=snapshot />
        </LivePart>
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
    Refresh::provide();
    let theme = RwSignal::new(theme);
    view! {
        <Title formatter=|title: String| format!("{title} · Strata") />
        <a class="skip" href="#main">"Skip to the page"</a>
        <LivePart>
            <Routed theme=theme />
        </LivePart>
    }
}

#[component]
fn Routed(theme: RwSignal<Theme>) -> impl IntoView {
    view! {
        <Router>
            <LivePart>
                <TopBar theme=theme />
            </LivePart>
            <LivePart>
                <Pages />
            </LivePart>
            <LivePart>
                <Shortcuts theme=theme />
            </LivePart>
            <LivePart>
                <Palette theme=theme />
            </LivePart>
            <LivePart>
                <Forms />
            </LivePart>
            <LivePart>
                <LiveStream />
            </LivePart>
        </Router>
    }
}
