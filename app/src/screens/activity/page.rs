use axum::http::StatusCode;
use leptos::prelude::*;
use strata_report::{Activity, ActivityFilter, Cause, Event, EventKind, Origin, What};

use super::audit;
use crate::addresses::{at, encode, key_address};
use crate::api::ApiError;
use crate::application_page::ApplicationPage;
use crate::format;
use crate::screens::PageRequest;
use crate::screens::page_frame::{PageFrame, PageHtml, export_links, titled_card};
use crate::screens::words;

// What nobody can read in a second need not be drawn.
const MAX_EVENTS: usize = 150;
const MAX_AUDIT_ENTRIES: usize = 50;

/// The most nodes that can be chosen.
const MAX_NODES: usize = 200;

/// Draws what happened of late and the audit trail.
pub(crate) async fn page(request: &PageRequest) -> Result<PageHtml, ApiError> {
    let filter = filter(request);
    let activity = request.console.activity(None, &filter);
    let before = request.field("before").and_then(|id| id.parse().ok());
    let audit = request.console.audit_page(before, MAX_AUDIT_ENTRIES);
    let newest = request.console.frame();
    let caches = newest.own_caches().map(|cache| cache.report.cache.clone()).collect::<Vec<_>>();
    let mut nodes = request.console.node_names(MAX_NODES);
    // One that is chosen stays in the form.
    nodes.extend(
        filter.node.iter().filter(|node| !nodes.contains(*node)).cloned().collect::<Vec<_>>(),
    );
    let frame = PageFrame { class: "activity-page", every_s: Some(1) };
    Ok(frame.draw(
        StatusCode::OK,
        view! {
            <div class="page-head"><h1>"Activity"</h1></div>
            {events(&filter, &activity, [caches, nodes])}
            {audit::card(&audit)}
            <p class="small">
                "You are "<strong>{words::who(&request.actor.name)}</strong>". "
                {(!ApplicationPage::is_around()).then(|| view! {
                    <a href=at("/login") rel="external">"Log in or out"</a>
                })}
            </p>
        },
    ))
}

fn filter(request: &PageRequest) -> ActivityFilter {
    let kind = request
        .field("kind")
        .and_then(|text| EventKind::ALL.into_iter().find(|kind| kind.as_str() == text));
    let cause = request
        .field("cause")
        .and_then(|text| Cause::ALL.into_iter().find(|cause| cause.as_str() == text));
    ActivityFilter {
        kinds: kind.into_iter().collect(),
        cache: request.field("cache").map(str::to_owned),
        node: request.field("node").map(str::to_owned),
        cause,
    }
}

fn events(filter: &ActivityFilter, activity: &Activity, names: [Vec<String>; 2]) -> AnyView {
    let n = activity.events.len();
    let mut newest: Vec<&Event> = activity.events.iter().rev().collect();
    // Nodes are asked one after the other, so their events of a second come one after the other.
    newest.sort_by_key(|event| std::cmp::Reverse(event.at_ms));
    let lines = newest.into_iter().take(MAX_EVENTS).enumerate().map(line).collect_view();
    let note = match n > MAX_EVENTS {
        true => format!(
            "times in UTC, newest first; showing {MAX_EVENTS} of {}",
            format::count(n as u64)
        ),
        false => "times in UTC, newest first".to_owned(),
    };
    let dropped = (activity.dropped > 0).then(|| {
        let dropped = format::plural(activity.dropped, "event was", "events were");
        view! { <p class="small">{dropped}" dropped since the start, because too many came within a second."</p> }
    });
    let api = format!("/api/v1/activity?{}", query(filter));
    titled_card(
        "events-card",
        "What happened",
        note,
        view! {
            {form(filter, names)}
            {dropped}
            {(n == 0).then(|| view! { <p class="empty">"No recent event matches this filter."</p> })}
            <ol class="events" data-testid="events">{lines}</ol>
            {export_links(format!("{api}&format=csv"), api.clone())}
        },
    )
}

fn line((nth, event): (usize, &Event)) -> impl IntoView + use<> {
    let kind = event.what.kind().as_str();
    let class = match &event.what {
        What::Removed { cause, .. } => format!("swatch eviction-{}", cause.as_str()),
        _ => format!("kind {kind}"),
    };
    let key = event.key.clone().map(|key| {
        view! { <a class="mono" href=key_address(&event.cache, &key)>{words::visible(&key)}</a> }
    });
    view! {
        <li id=format!("event-{}", event.seq) data-kind=kind>
            {words::when(event.at_ms, nth)}
            <span class="node">{node_name(&event.node)}</span>
            <span class="cache">{event.cache.clone()}</span>
            <span class=class>{what(event)}</span>
            <span class="key">{key}</span>
        </li>
    }
}

/// A node as a line names it; events of the console itself have none.
pub(in crate::screens) fn node_name(node: &str) -> String {
    if node.is_empty() { String::new() } else { format!("node {node}") }
}

/// A choice of the filter: values, each with the words for it.
struct FilterChoice<'a> {
    name: &'static str,
    label: &'static str,
    /// What is said where nothing is chosen.
    all: &'static str,
    values: Vec<(String, String)>,
    chosen: Option<&'a str>,
}

fn form(filter: &ActivityFilter, [caches, nodes]: [Vec<String>; 2]) -> AnyView {
    let as_named = |name: String| (name.clone(), name);
    let cause = |cause: Cause| (cause.as_str().to_owned(), words::cause(cause).to_owned());
    let kinds = EventKind::ALL.map(|kind| as_named(kind.as_str().to_owned()));
    let fields = [
        FilterChoice {
            name: "kind",
            label: "Kind",
            all: "all except fills",
            values: kinds.to_vec(),
            chosen: filter.kinds.first().map(|kind| kind.as_str()),
        },
        FilterChoice {
            name: "cache",
            label: "Cache",
            all: "every cache",
            values: caches.into_iter().map(as_named).collect(),
            chosen: filter.cache.as_deref(),
        },
        FilterChoice {
            name: "node",
            label: "Node",
            all: "every node",
            values: nodes.into_iter().map(as_named).collect(),
            chosen: filter.node.as_deref(),
        },
        FilterChoice {
            name: "cause",
            label: "Cause",
            all: "every cause",
            values: Cause::ALL.map(cause).to_vec(),
            chosen: filter.cause.map(Cause::as_str),
        },
    ];
    view! {
        <form action=at("/activity") method="get" class="ask" data-testid="filter">
            {fields.into_iter().map(choice).collect_view()}
            <button type="submit" class="button">"Show these"</button>
            <a class="button" href=at("/activity")>"Show all"</a>
        </form>
    }
    .into_any()
}

fn choice(choice: FilterChoice<'_>) -> AnyView {
    let FilterChoice { name, label, all, values, chosen } = choice;
    let option = |(value, words): (String, String)| {
        let selected = chosen == Some(value.as_str());
        view! { <option value=value selected=selected>{words}</option> }
    };
    let options = values.into_iter().map(option).collect_view();
    let id = format!("filter-{name}");
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <select id=id name=name>
                <option value="">{all}</option>
                {options}
            </select>
        </div>
    }
    .into_any()
}

fn query(filter: &ActivityFilter) -> String {
    let kinds = filter.kinds.iter().map(|kind| format!("kinds={}", kind.as_str()));
    let cache = filter.cache.iter().map(|cache| format!("cache={}", encode(cache)));
    let node = filter.node.iter().map(|node| format!("node={}", encode(node)));
    let cause = filter.cause.iter().map(|cause| format!("cause={}", cause.as_str()));
    kinds.chain(cache).chain(node).chain(cause).collect::<Vec<_>>().join("&")
}

/// What happened, in words.
pub(in crate::screens) fn what(event: &Event) -> String {
    let from = |origin: &Origin| match origin {
        Origin::Local => "started here",
        Origin::Other => "begun elsewhere",
        Origin::Bus => "received over the bus",
    };
    match &event.what {
        What::Loaded { took_us } => format!("loaded in {}", format::duration(Some(took_us * 1000))),
        What::FromL2 { age_ms } => format!("copied from L2, {} old", format::span(*age_ms)),
        What::Written => "written".to_owned(),
        What::Removed { cause, age_ms: Some(age) } => {
            format!("{} after {}", words::cause(*cause), format::span(*age))
        }
        What::Removed { cause, age_ms: None } => words::cause(*cause).to_owned(),
        What::Invalidated { scope, origin, pattern } => {
            let pattern =
                pattern.as_ref().map(|p| format!(" {}", words::visible(p))).unwrap_or_default();
            format!("invalidated by {}{pattern}, {}", scope.as_str(), from(origin))
        }
        What::Softened { origin } => format!("marked as stale, {}", from(origin)),
        What::BusConnected => "receives invalidations".to_owned(),
        What::BusLost => "no longer receives invalidations".to_owned(),
        What::BusGap { times } => {
            format!(
                "may have missed messages ({}), so its L1 was emptied",
                format::plural(*times, "time", "times")
            )
        }
        What::BreakerOpened => "breaker open: L2 is skipped".to_owned(),
        What::BreakerClosed => "breaker closed: L2 is trusted again".to_owned(),
        What::NodeAppeared => "node reports".to_owned(),
        What::NodeVanished => "node no longer reports".to_owned(),
        What::Other => "something that this version does not know".to_owned(),
        What::NodeLeft => "node left: it was shut down".to_owned(),
        What::NodeRestarted => "node restarted".to_owned(),
        What::Did { actor, action, target, result } => {
            let [target, result] = [target, result].map(|text| words::visible(text));
            let actor = words::who(actor);
            format!("{actor}: {} {target} · {result}", action.replace('_', " "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(happened: What) -> String {
        what(&Event {
            seq: 1,
            at_ms: 0,
            node: "1".into(),
            cache: "users".into(),
            key: None,
            what: happened,
        })
    }

    #[test]
    fn events_are_told_in_words() {
        let removed = What::Removed { cause: Cause::Size, age_ms: Some(4_000) };
        assert_eq!(text_of(removed), "evicted (size) after 4\u{202f}s");
        let heard = What::Invalidated {
            scope: strata_report::Scope::Pattern,
            origin: Origin::Bus,
            pattern: Some("4*".to_owned()),
        };
        assert_eq!(text_of(heard), "invalidated by pattern 4*, received over the bus");
    }
}
