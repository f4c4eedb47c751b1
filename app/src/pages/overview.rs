use leptos::prelude::*;
use leptos_meta::Title;

use crate::cards::{
    Alerts, Caches, CrossSection, Evictions, Health, Invalidate, L1, L2, Latency, Outcomes, Traffic,
};

/// Everything at a glance; the cross-section first, since every other number hangs off a layer.
#[component]
pub(crate) fn OverviewPage() -> impl IntoView {
    view! {
        <Title text="Overview" />
        <main id="main" class="overview">
            <h1 class="unseen">"Overview"</h1>
            <Health />
            <Alerts />
            <CrossSection />
            <Outcomes />
            <Evictions />
            <L1 />
            <L2 />
            <Latency />
            <Caches />
            <Invalidate />
            <Traffic />
        </main>
    }
    .into_any()
}
