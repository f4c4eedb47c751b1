use axum::http::StatusCode;
use leptos::prelude::*;
use strata_report::Alert;

use crate::first_paint::FirstPaint;
use crate::parts::{BELOW_ALERTS, HEALTH, Part};
use crate::screens::{PageHtml, alerts_card};

/// After so many seconds the alerts are drawn again; the rest keeps itself up to date.
const EVERY_S: u32 = 10;

/// How the overview draws its parts.
pub(super) type DrawPart = fn(&Part) -> AnyView;

/// Everything at a glance; the cross-section first, since every other number hangs off a layer.
pub(super) fn overview(first: FirstPaint, alerts: &[Alert], draw: DrawPart) -> PageHtml {
    let owner = Owner::new();
    let html = owner.with(|| {
        first.provide();
        let below = BELOW_ALERTS.iter().map(draw).collect_view();
        let page = view! {
            // A translator would put dead texts in the place of numbers that move.
            <div id="page" class="overview" translate="no" data-every-s=EVERY_S>
                <h1 class="unseen">"Overview"</h1>
                {draw(&HEALTH)}
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
    overview(first, &[], Part::draw).html
}
