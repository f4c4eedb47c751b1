use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_lab::{ContenderRun, Phase};

use super::view::{ComparisonRun, ComparisonView};
use crate::addresses::{at, comparison_address, encode};
use crate::api::StopComparison;
use crate::format;
use crate::screens::lab::run::{self as run_parts, ContenderCard};
use crate::screens::page_frame::titled_card;

/// How far a run is, and what it came to, contender by contender.
pub(super) fn cards(view: &ComparisonView, run: &ComparisonRun) -> AnyView {
    view! {
        {run_controls(view, run)}
        {table(run)}
        {contenders(view, run)}
    }
    .into_any()
}

fn run_controls(view: &ComparisonView, run: &ComparisonRun) -> AnyView {
    let (text, name) = phase(run);
    let acts = run.is_running().then(|| {
        let fields = view.comparison.fields().into_iter();
        let fields = fields.map(|(name, text)| {
            view! { <input type="hidden" name=format!("fields[{name}]") value=text /> }
        });
        let fields = fields.collect_view();
        let again = format!("{}&run={}", comparison_address(&view.comparison), encode(&run.id));
        view! {
            <div class="acts">
                <form action=at(StopComparison::PATH) method="post">
                    <input type="hidden" name="id" value=run.id.clone() />
                    {fields}
                    <button type="submit" class="button" disabled=view.refusal.is_some()>"Stop"</button>
                    <p class="failure" role="alert"></p>
                </form>
                <a class="button unless-live" href=again>"Look again"</a>
            </div>
        }
    });
    titled_card(
        "run-controls",
        "The run",
        format!("run {}", run.id),
        view! {
            <p role="status" class="phase" data-testid="phase" data-phase=name>{text}</p>
            {acts}
        },
    )
}

fn phase(run: &ComparisonRun) -> (String, &'static str) {
    let playing = run.state.contenders.iter().find(|each| !each.is_over);
    match &run.state.phase {
        Phase::Running => {
            let now = playing.map(|one| format!("Now: {}…", one.title));
            (now.unwrap_or_else(|| "Starting…".to_owned()), "running")
        }
        Phase::Done => ("Done.".to_owned(), "done"),
        Phase::Stopped => ("Stopped before the end.".to_owned(), "stopped"),
        Phase::Failed(why) => (format!("Failed to {why}."), "failed"),
    }
}

fn table(run: &ComparisonRun) -> Option<AnyView> {
    let contenders = &run.state.contenders;
    let note = match run.state.phase {
        Phase::Done => "counted on this machine, in this run",
        _ => "so far",
    };
    (!contenders.is_empty())
        .then(|| titled_card("results", "Results", note, run_parts::table(contenders)))
}

fn contenders(view: &ComparisonView, run: &ComparisonRun) -> AnyView {
    let begun = &run.state.contenders;
    let titles = view.comparison.contenders().unwrap_or_default();
    let n = titles.len().max(begun.len());
    let mut cards: Vec<_> = begun.iter().map(card).collect();
    if run.is_running() {
        let awaited = titles.into_iter().skip(begun.len());
        cards.extend(awaited.map(|contender| ContenderCard::awaited(contender.title)));
    }
    run_parts::contenders(cards, n)
}

fn card(contender: &ContenderRun) -> ContenderCard {
    let result = &contender.result;
    let reads = format::plural(result.outcomes.reads(), "read", "reads");
    let note = format!("{reads} in {}", format::span(result.took_ms));
    let body = run_parts::layers(&result.outcomes).into_any();
    ContenderCard { title: contender.title.clone(), note, body }
}
