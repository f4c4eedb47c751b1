use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_lab::{ContenderRun, Phase, StepMode};

use super::view::{LessonRun, LessonView};
use super::{faults, verdict};
use crate::addresses::{at, run_address};
use crate::api::{FinishRun, StepRun, StopRun};
use crate::screens::page_frame::titled_card;

/// How far a run is, and the buttons that control it.
pub(super) fn card(view: &LessonView, run: &LessonRun) -> AnyView {
    let is_running = run.is_running();
    let steps = (is_running && run.pace == StepMode::StepByStep).then(|| steps(view, run));
    let stop = is_running.then(|| {
        view! {
            {press(view, run, StopRun::PATH, "Stop")}
            <a class="button unless-live" href=run_address(view.lesson.slug, &run.id)>"Look again"</a>
        }
    });
    // There all along, so that what follows stays in its place and keeps its focus.
    let next = steps.is_some().then(|| match &run.state.next_step {
        Some(waiting) => {
            view! { <p class="next-step"><strong>"Next: "</strong>{waiting.text.clone()}</p> }
        }
        None => {
            view! { <p class="next-step"><strong>"Next: "</strong>"after this step."</p> }
        }
    });
    titled_card(
        "run-controls",
        "The run",
        format!("run {}", run.id),
        view! {
            <p role="status" class="phase" data-testid="phase" data-phase=phase_name(&run.state.phase)>{phase(run)}</p>
            {(run.state.phase == Phase::Done).then(|| verdict::sentences(view, run))}
            {(!is_running).then(|| verdict::next_links(view))}
            {is_running.then(|| view! { <p class="small">"Watch for: "{view.lesson.watch_for}</p> })}
            {next}
            {is_running.then(|| view! { <div class="acts">{steps}{stop}</div> })}
            {is_running.then(|| faults::form(view, run))}
        },
    )
}

// The button stays where it is from step to step, so that it can be pressed again.
fn steps(view: &LessonView, run: &LessonRun) -> impl IntoView + use<> {
    let performances = run.state.contenders.iter();
    let begun = performances.map(|each| each.steps.len()).max().unwrap_or(0);
    let played = run.state.next_step.as_ref().map_or(begun, |waiting| waiting.played);
    view! {
        <form action=at(StepRun::PATH) method="post">
            <input type="hidden" name="id" value=run.id.clone() />
            <input type="hidden" name="played" value=played.to_string() />
            <button type="submit" class="button strong" disabled=view.refusal.is_some()>{format!("Play step {}", played + 1)}</button>
            <p class="failure" role="alert"></p>
        </form>
        {press(view, run, FinishRun::PATH, "Play the rest")}
    }
}

fn press(
    view: &LessonView,
    run: &LessonRun,
    path: &'static str,
    text: &'static str,
) -> impl IntoView + use<> {
    view! {
        <form action=at(path) method="post">
            <input type="hidden" name="id" value=run.id.clone() />
            <button type="submit" class="button" disabled=view.refusal.is_some()>{text}</button>
            <p class="failure" role="alert"></p>
        </form>
    }
}

fn phase(run: &LessonRun) -> String {
    let playing = run.state.contenders.iter().find(|each| !each.is_over);
    match (&run.state.phase, &run.state.next_step) {
        (Phase::Running, Some(waiting)) => match waiting.played {
            0 => "Ready. Waiting for you.".to_owned(),
            played => format!("Step {played} is done. Waiting for you."),
        },
        (Phase::Running, None) => {
            playing.map_or("Starting…".to_owned(), |one| now(one, run.pace))
        }
        (Phase::Done, _) => "Done.".to_owned(),
        (Phase::Stopped, _) => "Stopped before the end.".to_owned(),
        (Phase::Failed(why), _) => format!("Failed to {why}."),
    }
}

fn now(performance: &ContenderRun, pace: StepMode) -> String {
    let title = &performance.title;
    match (performance.steps.len(), pace) {
        (0, StepMode::AllAtOnce) => format!("{title}: starting…"),
        (n, StepMode::AllAtOnce) => format!("{title}: step {n} is running…"),
        (n, StepMode::StepByStep) => format!("Step {n} is running…"),
    }
}

const fn phase_name(phase: &Phase) -> &'static str {
    match phase {
        Phase::Running => "running",
        Phase::Done => "done",
        Phase::Stopped => "stopped",
        Phase::Failed(_) => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screens::lab::lesson::page::tests::run;

    #[test]
    fn how_far_a_run_is_is_a_sentence() {
        let mut view = run(Phase::Running);
        assert_eq!(phase(&view), "Step 1 is done. Waiting for you.");
        view.state.next_step = None;
        view.state.contenders[1].is_over = false;
        assert_eq!(phase(&view), "Step 1 is running…");
        view.pace = StepMode::AllAtOnce;
        assert_eq!(phase(&view), "Cache-aside: step 1 is running…");
        view.state.contenders.clear();
        assert_eq!(phase(&view), "Starting…");
        view.state.phase = Phase::Failed("ask a node: all were killed".to_owned());
        assert_eq!(phase(&view), "Failed to ask a node: all were killed.");
    }
}
