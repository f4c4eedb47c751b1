use leptos::prelude::*;
use leptos_meta::Title;

use crate::cards::{
    Alerts, Caches, CrossSection, Evictions, Health, Invalidate, L1, L2, Latency, Outcomes, Traffic,
};
use crate::ui::Part;

/// Everything at a glance; the cross-section first, since every other number hangs off a layer.
#[component]
pub(crate) fn OverviewPage() -> impl IntoView {
    view! {
        <Title text="Overview" />
        // A translator would put dead texts in the place of numbers that move.
        <main id="main" class="overview" translate="no">
            <h1 class="unseen">"Overview"</h1>
            <Part>
                <Health />
            </Part>
            <Part>
                <Alerts />
            </Part>
            <Part>
                <CrossSection />
            </Part>
            <Part>
                <Outcomes />
            </Part>
            <Part>
                <Evictions />
            </Part>
            <Part>
                <L1 />
            </Part>
            <Part>
                <L2 />
            </Part>
            <Part>
                <Latency />
            </Part>
            <Part>
                <Caches />
            </Part>
            <Part>
                <Invalidate />
            </Part>
            <Part>
                <Traffic />
            </Part>
        </main>
    }
    .into_any()
}
