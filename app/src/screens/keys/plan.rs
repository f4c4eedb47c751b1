use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_report::Plan;

use crate::addresses::{at, pattern_address};
use crate::api::RunPlan;
use crate::format::{self, DASH};
use crate::screens::page_frame::{partial_answers, titled_card};
use crate::screens::words;

// More would push the button that confirms off the screen.
const MAX_SAMPLES: usize = 12;

/// What an invalidation would remove, and the button that confirms it.
pub(super) fn card(plan: &Plan, refusal: Option<String>) -> AnyView {
    let in_l1: u64 = plan.l1.iter().map(|node| node.entries).sum();
    let nodes =
        plan.l1.iter().map(|node| format!("node {}: {}", node.node, format::count(node.entries)));
    let nodes = nodes.collect::<Vec<_>>().join(" · ");
    let samples = plan.samples.iter().take(MAX_SAMPLES);
    let samples = samples.map(|key| view! { <li>{words::visible(key)}</li> }).collect_view();
    let cost = plan.reload.map_or(format!("{DASH} (no load was measured yet)"), |reload| {
        format!(
            "{} to {} of database time",
            format::span(reload.low_ms),
            format::span(reload.high_ms)
        )
    });
    let note = format!("counted at {} UTC; nothing was changed", words::at(plan.at_ms));
    titled_card(
        "plan",
        "Plan",
        note,
        view! {
            <p>"Invalidate every key that matches "<code>{words::visible(&plan.pattern)}</code>" in cache "<strong>{plan.cache.clone()}</strong>"."</p>
            <dl class="pairs">
                <div><dt>"L1, nodes added up"</dt><dd data-testid="plan-l1" data-value=in_l1>{format::count(in_l1)}</dd></div>
                <div><dt>"L2"</dt><dd data-testid="plan-l2" data-value=plan.l2>{in_l2(plan)}</dd></div>
                <div><dt>"each node"</dt><dd>{nodes}</dd></div>
                <div><dt>"cost of reloading"</dt><dd>{cost}</dd></div>
            </dl>
            {partial_answers(plan.partial.as_ref())}
            <h3>"Some of the keys"</h3>
            <ul class="samples mono" aria-label="Some of the keys">{samples}</ul>
            {confirm(plan, refusal)}
        },
    )
}

fn confirm(plan: &Plan, refusal: Option<String>) -> AnyView {
    if plan.entries() == 0 && !plan.l2_at_least && plan.partial.is_none() {
        return view! { <p class="empty">"Nothing matches, so there is nothing to invalidate."</p> }.into_any();
    }
    let refusal = refusal.or_else(|| plan.protected.clone());
    let again = plan.type_again.then(|| {
        view! {
            <div class="field">
                <label for="typed">{again_label(&plan.pattern)}</label>
                <input id="typed" name="typed" class="mono" required=true autocomplete="off" spellcheck="false" />
            </div>
        }
    });
    let again_address = format!("{}&plan=1", pattern_address(&plan.cache, &plan.pattern));
    view! {
        <form action=at(RunPlan::PATH) method="post" class="confirm">
            <input type="hidden" name="id" value=plan.id.clone() />
            {again}
            <div class="acts">
                <button type="submit" class="button heavy" disabled=refusal.is_some() data-testid="confirm">{button_text(plan)}</button>
                <a class="button" href=again_address>"Count again"</a>
                <a class="button" href=pattern_address(&plan.cache, &plan.pattern)>"Show the keys instead"</a>
            </div>
            <p class="failure" role="alert"></p>
            <p class="refusal">{refusal}</p>
        </form>
    }
    .into_any()
}

// A field takes no line break, and nobody can type what cannot be seen.
fn again_label(pattern: &str) -> String {
    let words = "That is a lot. Type the pattern again to confirm";
    match strata_report::visible(pattern) {
        shown if shown == pattern => words.to_owned(),
        shown => format!("{words}, as it is written out: {shown}"),
    }
}

fn in_l2(plan: &Plan) -> String {
    let not_counted = || "not counted: off or away".to_owned();
    plan.l2.map_or_else(not_counted, |n| at_least(plan, format::count(n)) + &looked_at(plan))
}

/// How far a count came that did not come to its end.
fn looked_at(plan: &Plan) -> String {
    let Some(scanned) = plan.l2_scanned else { return String::new() };
    let all = plan.l2_keys.map(|n| format!(" of about {}", format::count(n)));
    format!("; {}{} looked at", format::plural(scanned, "key", "keys"), all.unwrap_or_default())
}

/// Where Redis holds too many keys to count all.
fn at_least(plan: &Plan, count: String) -> String {
    if plan.l2_at_least { format!("at least {count}") } else { count }
}

// The button names the number.
fn button_text(plan: &Plan) -> String {
    let entries = at_least(plan, format::plural(plan.entries(), "entry", "entries"));
    let nodes = format::plural(plan.l1.len() as u64, "node", "nodes");
    let levels = if plan.l2.is_some() { "2 levels" } else { "L1" };
    format!("Invalidate {entries} in {levels} on {nodes}")
}

#[cfg(test)]
mod tests {
    use strata_report::NodeCount;

    use super::*;

    #[test]
    fn the_button_names_the_number() {
        let node = |node: &str, entries| NodeCount { node: node.to_owned(), entries };
        let mut plan = Plan { l1: vec![node("1", 1)], l2: Some(0), ..Plan::default() };
        assert_eq!(button_text(&plan), "Invalidate 1 entry in 2 levels on 1 node");
        plan.l1.push(node("2", 0));
        plan.l2 = Some(3_309);
        assert_eq!(button_text(&plan), "Invalidate 3\u{202f}310 entries in 2 levels on 2 nodes");
        plan.l2_at_least = true;
        assert_eq!(in_l2(&plan), "at least 3\u{202f}309");
        assert!(button_text(&plan).starts_with("Invalidate at least 3\u{202f}310 entries"));
        plan.l2_at_least = false;
        plan.l2 = None;
        assert_eq!(button_text(&plan), "Invalidate 1 entry in L1 on 2 nodes");
    }

    #[test]
    fn what_is_protected_says_why() {
        let plan = Plan {
            l2: Some(5),
            protected: Some("Keys that match config:* are protected.".to_owned()),
            ..Plan::default()
        };
        let html = Owner::new().with(|| card(&plan, None).to_html());
        assert!(html.contains("are protected.") && html.contains("disabled"));
    }
}
