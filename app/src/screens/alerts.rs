use leptos::prelude::*;
use strata_report::Alert;

use crate::addresses::{at, cache_address};
use crate::screens::page_frame::titled_card;

/// What somebody should look at, worst first, each with what to do.
pub(crate) fn card(alerts: &[Alert]) -> AnyView {
    let note = match alerts.len() {
        0 => "none".to_owned(),
        n => format!("{n}, worst first"),
    };
    titled_card("alerts", "What to look at", note, list(alerts))
}

fn list(alerts: &[Alert]) -> AnyView {
    if alerts.is_empty() {
        return view! { <p class="empty">"Nothing needs your attention."</p> }.into_any();
    }
    let lines = alerts.iter().map(alert).collect_view();
    view! { <ul class="alert-list">{lines}</ul> }.into_any()
}

fn alert(alert: &Alert) -> impl IntoView + use<> {
    let severity = alert.severity.as_str();
    let cache = (!alert.cache.is_empty()).then(|| {
        view! { <a href=cache_address(&alert.cache)>{alert.cache.clone()}</a> }
    });
    let node = (!alert.node.is_empty())
        .then(|| view! { <a href=at("/nodes")>"node "{alert.node.clone()}</a> });
    view! {
        <li class="alert" data-severity=severity data-lint=alert.lint.clone()>
            <p class="alert-head">
                <span class="severity">{severity}</span>
                " "{cache}" "{node}
            </p>
            <p class="what">{alert.what.clone()}</p>
            <p class="why">{alert.why.clone()}</p>
            <p class="to-do"><strong>"What to do: "</strong>{alert.what_to_do.clone()}</p>
        </li>
    }
}
