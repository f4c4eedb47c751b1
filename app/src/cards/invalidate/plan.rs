use leptos::prelude::*;
use strata_report::Plan;

use crate::format::{self, DASH};
use crate::session::Visitor;
use crate::ui::{Asked, Button, Form, Weight};

// More would push the button that confirms off the screen.
const MAX_SAMPLES: usize = 6;

/// What an invalidation would remove, and the button that confirms it.
#[component]
pub(super) fn PlanPanel(
    /// The plan; `None` before one is asked for.
    plan: Signal<Option<Plan>>,
    /// What the button starts.
    run: Asked,
) -> impl IntoView {
    move || plan.get().map(|plan| view! { <Planned plan=plan run=run /> })
}

#[component]
fn Planned(plan: Plan, run: Asked) -> impl IntoView {
    let in_l1 = in_l1(&plan);
    let button = button_text(&plan);
    let nodes = plan.l1.iter().map(|node| format!("{} {}", node.node, format::count(node.entries)));
    let nodes = nodes.collect::<Vec<_>>().join(" · ");
    let samples = plan.samples.iter().take(MAX_SAMPLES);
    let samples = samples.map(|key| view! { <li>{key.clone()}</li> }).collect_view();
    let more = plan.samples.len() > MAX_SAMPLES;
    view! {
        <div class="plan" role="group" aria-label="Plan">
            <dl>
                <dt>"L1, nodes added up"</dt>
                <dd data-testid="plan-l1" data-value=in_l1>
                    {format::count(in_l1)}
                </dd>
                <dt>"L2"</dt>
                <dd data-testid="plan-l2" data-value=plan.l2>
                    {plan.l2.map_or(DASH.to_owned(), format::count)}
                </dd>
            </dl>
            <p class="small">{nodes}</p>
            <ul class="samples mono" aria-label="Some of the keys">
                {samples} {more.then(|| view! { <li>"…"</li> })}
            </ul>
            <Form asked=run>
                <input type="hidden" name="cache" value=plan.cache />
                <input type="hidden" name="pattern" value=plan.pattern />
                <Button
                    text=Signal::stored(button)
                    weight=Weight::Heavy
                    refusal=Visitor::of_page().refusal()
                    pending=run.pending
                />
            </Form>
        </div>
    }
    .into_any()
}

fn in_l1(plan: &Plan) -> u64 {
    plan.l1.iter().map(|node| node.entries).sum()
}

// The button names the number.
fn button_text(plan: &Plan) -> String {
    let entries = |n| format::plural(n, "entry", "entries");
    match plan.l2 {
        Some(l2) => format!("Invalidate {} in 2 levels", entries(in_l1(plan) + l2)),
        None => format!("Invalidate {} in L1", entries(in_l1(plan))),
    }
}

#[cfg(test)]
mod tests {
    use strata_report::NodeCount;

    use super::*;

    #[test]
    fn the_button_names_the_number() {
        let mut plan = Plan {
            cache: "timelines".to_owned(),
            pattern: "author:17:*".to_owned(),
            l1: vec![NodeCount { node: "1".to_owned(), entries: 1 }],
            l2: Some(0),
            samples: Vec::new(),
            at_ms: 0,
            ..Plan::default()
        };
        assert_eq!(button_text(&plan), "Invalidate 1 entry in 2 levels");
        plan.l2 = Some(3_309);
        assert_eq!(button_text(&plan), "Invalidate 3\u{202f}310 entries in 2 levels");
        plan.l2 = None;
        assert_eq!(button_text(&plan), "Invalidate 1 entry in L1");
    }
}
