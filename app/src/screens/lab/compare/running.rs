use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_lab::{ContenderRun, Phase};

use super::page::{ComparisonRun, ComparisonView};
use crate::addresses::{at, comparison_address, encode};
use crate::api::StopComparison;
use crate::format;
use crate::screens::lab::run as run_parts;
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
    let performances = &run.state.contenders;
    let note = match run.state.phase {
        Phase::Done => "counted on this machine, in this run",
        _ => "so far",
    };
    (!performances.is_empty())
        .then(|| titled_card("results", "Results", note, run_parts::table(performances)))
}

fn contenders(view: &ComparisonView, run: &ComparisonRun) -> AnyView {
    let performances = &run.state.contenders;
    let played = performances.iter().enumerate().map(|(i, each)| contender(i, each));
    let titles = view.comparison.contenders().unwrap_or_default();
    let n = titles.len().max(performances.len());
    let awaited = titles.into_iter().enumerate().skip(performances.len());
    let awaited = awaited.filter(|_| run.is_running()).map(|(i, contender)| {
        let text = view! { <p class="empty">"Waiting for its turn."</p> };
        section(i, contender.title, String::new(), text.into_any())
    });
    view! { <div class=format!("contenders of-{n}")>{played.collect_view()}{awaited.collect_view()}</div> }
        .into_any()
}

fn contender(i: usize, performance: &ContenderRun) -> AnyView {
    let result = &performance.result;
    let reads = format::plural(result.outcomes.reads(), "read", "reads");
    let note = format!("{reads} in {}", format::span(result.took_ms));
    let body = run_parts::layers(&result.outcomes).into_any();
    section(i, performance.title.clone(), note, body)
}

fn section(i: usize, title: String, note: String, body: AnyView) -> AnyView {
    let (id, heading) = (format!("contender-{}", i + 1), format!("contender-{}-title", i + 1));
    view! {
        <section class="card contender" id=id aria-labelledby=heading>
            <header>
                <h2 id=heading.clone()>{title}</h2>
                <p>{note}</p>
            </header>
            {body}
        </section>
    }
    .into_any()
}
