use leptos::prelude::*;
use strata_lab::Fault;

use super::view::LessonView;
use crate::format;
use crate::screens::page_frame::titled_card;

/// What runs: every node's L1 over L2 over the database, and what of it is broken.
pub(super) fn card(view: &LessonView) -> AnyView {
    let faults = view.run.as_ref().map_or(&[][..], |run| &run.state.faults);
    let n_nodes = view.settings.nodes;
    let node = |number: usize| {
        let trouble = (number == n_nodes).then(|| of_last_node(faults)).flatten();
        view! {
            <li class="layer-box l1" data-broken=trouble.is_some().then_some("true")>
                <b>"L1"</b>
                <span>{format!("memory of node {number}")}{trouble.map(|text| format!(", {text}"))}</span>
            </li>
        }
    };
    let nodes = (1..=n_nodes).map(node).collect_view();
    let redis = match (view.has_redis, faults.contains(&Fault::RedisAway)) {
        (false, _) => Some("none here"),
        (true, true) => Some("away"),
        (true, false) => None,
    };
    let titles = view.lesson.variants.iter();
    let titles = titles.map(|variant| view! { <li data-testid="contender">{variant.title}</li> });
    titled_card(
        "stack",
        "What runs",
        "real moka, Redis and SQL",
        view! {
            <ul class="layer-boxes nodes-of-lab" aria-label="Nodes">{nodes}</ul>
            <div class="layer-box l2" data-broken=redis.is_some().then_some("true")>
                <b>"L2"</b>
                <span>{redis.map_or("Redis, shared by all nodes".to_owned(), |text| format!("Redis, {text}"))}</span>
            </div>
            {database(view, faults)}
            <div class="compared">
                <p class="small">"Compared, each on a stack of its own:"</p>
                <ul>{titles.collect_view()}</ul>
            </div>
        },
    )
}

fn database(view: &LessonView, faults: &[Fault]) -> impl IntoView + use<> {
    let trouble = if faults.contains(&Fault::DatabaseAway) {
        Some("away")
    } else {
        faults.contains(&Fault::SlowDatabase).then_some("slow")
    };
    let items = format::plural(view.settings.items, "item", "items");
    view! {
        <div class="layer-box source" data-broken=trouble.is_some().then_some("true")>
            <b>"Database"</b>
            <span>{items}{trouble.map(|text| format!(", {text}"))}</span>
        </div>
    }
}

fn of_last_node(faults: &[Fault]) -> Option<&'static str> {
    if faults.contains(&Fault::NodeKilled) {
        return Some("killed");
    }
    faults.contains(&Fault::BusSilent).then_some("off the bus")
}

#[cfg(test)]
mod tests {
    use strata_lab::Phase;

    use super::*;
    use crate::screens::lab::lesson::page::tests::{run, stampede};

    #[test]
    fn what_is_broken_is_shown_where_it_is() {
        let mut running = run(Phase::Running);
        running.state.faults = vec![Fault::DatabaseAway, Fault::NodeKilled];
        let view = LessonView { run: Some(running), ..stampede() };
        let html = Owner::new().with(|| card(&view).to_html());
        assert!(html.contains("memory of node 2") && html.contains(", killed"));
        assert_eq!(html.matches("data-broken").count(), 2);
    }
}
