use axum::http::StatusCode;
use leptos::prelude::*;

use crate::first_paint::FirstPaint;
use crate::parts::{BELOW_ALERTS, HEALTH};
use crate::screens::{PageHtml, alerts_card};

/// After so many seconds the alerts are drawn again; the rest keeps itself up to date.
const EVERY_S: u32 = 10;

/// Everything at a glance; the cross-section first, since every other number hangs off a layer.
pub(super) fn overview(first: FirstPaint, alerts: &[strata_report::Alert]) -> PageHtml {
    let owner = Owner::new();
    let html = owner.with(|| {
        first.provide();
        let below = BELOW_ALERTS.map(|part| part.draw()).into_iter().collect_view();
        let page = view! {
            // A translator would put dead texts in the place of numbers that move.
            <div id="page" class="overview" translate="no" data-every-s=EVERY_S>
                <h1 class="unseen">"Overview"</h1>
                {HEALTH.draw()}
                {alerts_card(alerts)}
                {below}
            </div>
        };
        page.to_html()
    });
    PageHtml::new(StatusCode::OK, html)
}

#[cfg(test)]
pub(crate) fn overview_html(first: FirstPaint) -> String {
    overview(first, &[]).html
}
