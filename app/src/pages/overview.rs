use leptos::prelude::*;
use leptos_meta::Title;

use crate::cards::{
    Alerts, Caches, CrossSection, Evictions, Health, Invalidate, L1, L2, Latency, Outcomes, Traffic,
};
use crate::ui::LivePart;

/// Everything at a glance; the cross-section first, since every other number hangs off a layer.
#[component]
pub(crate) fn OverviewPage() -> impl IntoView {
    view! {
        <Title text="Overview" />
        // A translator would put dead texts in the place of numbers that move.
        <main id="main" class="overview" translate="no">
            <h1 class="unseen">"Overview"</h1>
            <LivePart>
                <Health />
            </LivePart>
            <LivePart>
                <Alerts />
            </LivePart>
            <LivePart>
                <CrossSection />
            </LivePart>
            <LivePart>
                <Outcomes />
            </LivePart>
            <LivePart>
                <Evictions />
            </LivePart>
            <LivePart>
                <L1 />
            </LivePart>
            <LivePart>
                <L2 />
            </LivePart>
            <LivePart>
                <Latency />
            </LivePart>
            <LivePart>
                <Caches />
            </LivePart>
            <LivePart>
                <Invalidate />
            </LivePart>
            <LivePart>
                <Traffic />
            </LivePart>
        </main>
    }
    .into_any()
}
