use axum::http::StatusCode;
use leptos::prelude::*;
use strata_demo::trace::CurveState;
use strata_lab::{Comparison, Lab};

use super::view::{ComparisonRun, ComparisonTrace, ComparisonView};
use super::{curve, form, running, traces};
use crate::addresses::at;
use crate::api::ApiError;
use crate::screens::PageRequest;
use crate::screens::lab::lesson::ticket;
use crate::screens::page_frame::{PageFrame, PageHtml};

// Fields of the address that say nothing about what is compared.
const OTHER_FIELDS: [&str; 3] = ["run", "__path", "__err"];

/// Draws the page of comparisons.
pub(crate) async fn compare(request: &PageRequest) -> Result<PageHtml, ApiError> {
    let lab = request.lab.as_ref().ok_or_else(|| ApiError::Away("find the lab".to_owned()))?;
    Ok(draw(&look(request, lab).await))
}

async fn look(request: &PageRequest, lab: &Lab) -> ComparisonView {
    let mut complaints: Vec<String> = request.failure().into_iter().collect();
    let said = |(name, _): &(&str, &str)| !OTHER_FIELDS.contains(name);
    let mut fields = request.fields().filter(said).peekable();
    let comparison = match fields.peek() {
        None => Comparison::example(),
        Some(_) => Comparison::of_fields(fields).unwrap_or_else(|error| {
            complaints.push(format!("Failed to {error}. Here is another comparison."));
            Comparison::example()
        }),
    };
    let wanted = request.field("run");
    let run = wanted.and_then(|id| lab.run(id)).filter(|run| run.request().topic == "compare");
    if wanted.is_some() && run.is_none() {
        complaints.push(
            "This run is gone: Strata was restarted, or newer runs replaced it. Run it again."
                .to_owned(),
        );
    }
    let run = match run {
        Some(run) => Some(ComparisonRun { id: run.id().to_owned(), state: run.state().await }),
        None => None,
    };
    let trace = match trace(lab, &comparison).await {
        Ok(trace) => trace,
        Err(complaint) => {
            complaints.push(complaint);
            None
        }
    };
    let listed = lab.traces().list();
    ComparisonView {
        comparison,
        run,
        trace,
        listed,
        ticket: ticket(),
        refusal: request.refusal(),
        complaints,
    }
}

async fn trace(lab: &Lab, comparison: &Comparison) -> Result<Option<ComparisonTrace>, String> {
    let Some(id) = &comparison.trace else { return Ok(None) };
    let found = lab.traces().find(id).await.map_err(|error| format!("Failed to {error}."))?;
    let gone =
        "This trace is gone: Strata was restarted, or newer traces replaced it. Upload it again.";
    let stored = found.ok_or_else(|| gone.to_owned())?;
    let (used, curve) = (comparison.used(&stored.recording), lab.traces().curve(&stored));
    Ok(Some(ComparisonTrace { stored, used, curve }))
}

fn draw(view: &ComparisonView) -> PageHtml {
    let is_running = view.run.as_ref().is_some_and(ComparisonRun::is_running);
    let is_measuring = view
        .trace
        .as_ref()
        .is_some_and(|trace| matches!(trace.curve, CurveState::Awaited | CurveState::Measuring));
    let every_s = (is_running || is_measuring).then_some(1);
    let frame = PageFrame { class: "compare-page", every_s };
    let complaint = |why: &String| {
        view! { <div class="banner" role="alert"><p>{why.clone()}</p></div> }
    };
    frame.draw(
        StatusCode::OK,
        view! {
            <div class="page-head">
                <h1>"Compare"</h1>
                <p class="small">"Strategies and settings on the same requests · "<a href=at("/lab")>"All lessons"</a></p>
            </div>
            {view.complaints.iter().map(complaint).collect_view()}
            {view.run.as_ref().map(|run| running::cards(view, run))}
            {form::card(view)}
            {view.trace.as_ref().map(curve::card)}
            {traces::card(view)}
        },
    )
}

#[cfg(test)]
pub(super) mod tests {
    use strata_demo::trace::TraceStore;
    use strata_lab::{ContenderRun, Phase, ResultRow, RunState};

    use super::*;

    pub(crate) fn view() -> ComparisonView {
        ComparisonView {
            comparison: Comparison::example(),
            run: None,
            trace: None,
            listed: TraceStore::new(None).list(),
            ticket: "t".to_owned(),
            refusal: None,
            complaints: Vec::new(),
        }
    }

    pub(crate) fn run(phase: Phase) -> ComparisonRun {
        let performance = |contender: strata_lab::Contender| ContenderRun {
            title: contender.title,
            strategy: contender.strategy,
            settings: contender.settings,
            result: ResultRow::default(),
            steps: Vec::new(),
            is_over: true,
        };
        let contenders = view().comparison.contenders().expect("it can be compared");
        let contenders = contenders.into_iter().take(2).map(performance).collect();
        let (faults, broken_by_hand) = (Vec::new(), Vec::new());
        let state = RunState { phase, contenders, next_step: None, faults, broken_by_hand };
        ComparisonRun { id: "3-9f2a1c".to_owned(), state }
    }

    fn page(view: &ComparisonView) -> String {
        Owner::new().with(|| draw(view).html)
    }

    #[test]
    fn before_a_run_there_is_a_form_and_no_result() {
        let html = page(&view());
        assert!(html.contains("Run it") && html.contains("name=\"fields[a]\""));
        assert!(!html.contains("data-testid=\"results\"") && !html.contains("data-every-s"));
        assert!(!html.contains("style="), "the policy of the page blocks inline styles");
    }

    #[test]
    fn a_run_is_told_while_it_goes_on_and_when_it_has_ended() {
        let html = page(&ComparisonView { run: Some(run(Phase::Running)), ..view() });
        assert!(html.contains("data-every-s=\"1\"") && html.contains("Stop"));
        assert!(html.contains("Waiting for its turn."), "the third has not begun");
        let html = page(&ComparisonView { run: Some(run(Phase::Done)), ..view() });
        assert!(!html.contains("data-every-s") && html.contains("data-phase=\"done\""));
        assert_eq!(html.matches("<tbody><tr>").count(), 1);
    }

    #[test]
    fn what_is_wrong_is_told_above_all_else() {
        let complaints = vec!["Failed to <b>.".to_owned()];
        let html = page(&ComparisonView { complaints, ..view() });
        assert!(html.contains("Failed to &lt;b&gt;."));
    }

    #[test]
    fn who_may_not_act_is_told_why() {
        let html =
            page(&ComparisonView { refusal: Some("Only an operator may.".to_owned()), ..view() });
        assert_eq!(html.matches("Only an operator may.").count(), 2);
        assert!(html.contains("disabled"));
    }
}
