use std::collections::HashMap;
use std::sync::Arc;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use strata_console::ConsoleError;
use strata_lab::{Fault, Lab, LabError, Lesson, Run, RunRequest, StepMode};

use super::progress::forget;
use super::settings::settings_of;
use super::wait::{until_ended, until_played};
use crate::addresses::{at, run_address};
use crate::api::{ApiError, context};

// As the audit trail names it.
const ACTION: &str = "run_lesson";

/// What the form of a lesson asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunForm {
    /// The lesson's name in addresses.
    pub lesson: String,
    /// What was set, by name, as typed.
    #[serde(default)]
    pub settings: HashMap<String, String>,
    /// Which answer was chosen, from 0.
    #[serde(default)]
    pub guess: Option<usize>,
    /// How it goes through its steps.
    #[serde(default)]
    pub pace: StepMode,
    /// Sent twice it is one run.
    #[serde(default)]
    pub ticket: String,
}

/// Runs a lesson; answers the address at which it is watched.
#[server(name = StartRun, prefix = "/api", endpoint = "strata/start_run")]
pub async fn start_run(wish: RunForm) -> Result<String, ApiError> {
    let Some(lesson) = Lesson::find(&wish.lesson) else {
        return Err(refuse(ApiError::NotFound("find this lesson".to_owned())));
    };
    permit(lesson.slug)?;
    let n_answers = lesson.question.answers.len();
    let Some(guess) = wish.guess.filter(|guess| *guess < n_answers) else {
        return Err(refuse(ApiError::Invalid("run the lesson: choose an answer first".to_owned())));
    };
    let settings =
        settings_of(lesson, &wish.settings).map_err(|why| refuse(ApiError::Invalid(why)))?;
    let order = RunRequest {
        topic: lesson.slug.to_owned(),
        experiment: lesson.experiment(&settings),
        // A page that comes back from the browser's memory still has the ticket of its last run.
        ticket: ticket(&wish, guess),
        settings,
        step_mode: wish.pace,
        guess: Some(guess),
    };
    let run = start(lab()?.as_ref(), order)?;
    record(&run, "started");
    if wish.pace == StepMode::AllAtOnce {
        until_ended(&run).await;
    }
    Ok(redirect_plain_form(address(&run)))
}

/// Runs the step after the first `played` ones.
#[server(name = StepRun, prefix = "/api", endpoint = "strata/step_run")]
pub async fn step_run(id: String, played: usize) -> Result<String, ApiError> {
    let run = permitted_run(&id)?;
    run.go_on(played);
    until_played(&run, played).await;
    Ok(redirect_plain_form(address(&run)))
}

/// Runs all steps that are left.
#[server(name = FinishRun, prefix = "/api", endpoint = "strata/finish_run")]
pub async fn finish_run(id: String) -> Result<String, ApiError> {
    let run = permitted_run(&id)?;
    run.go_on_to_the_end();
    until_ended(&run).await;
    Ok(redirect_plain_form(address(&run)))
}

/// Breaks something while a run goes on, or mends it.
#[server(name = ChangeFault, prefix = "/api", endpoint = "strata/change_fault")]
pub async fn change_fault(
    id: String,
    #[server(default)] inflict: String,
    #[server(default)] mend: String,
) -> Result<String, ApiError> {
    let run = permitted_run(&id)?;
    let (what, changed) = match (Fault::named(&inflict), Fault::named(&mend)) {
        (Some(fault), None) => ("fault", run.inject(fault)),
        (None, Some(fault)) => ("mended", run.repair(fault).await),
        _ => return Err(refuse(ApiError::Invalid("tell what to break or mend".to_owned()))),
    };
    changed.map_err(|error| refuse(ApiError::Invalid(error.to_string())))?;
    let fault = format!("{inflict}{mend}").replace('_', " ");
    record(&run, &format!("{what}: {fault}"));
    Ok(redirect_plain_form(address(&run)))
}

/// Stops a run; what it came to so far can still be seen.
#[server(name = StopRun, prefix = "/api", endpoint = "strata/stop_run")]
pub async fn stop_run(id: String) -> Result<String, ApiError> {
    let run = permitted_run(&id)?;
    run.stop();
    record(&run, "stopped");
    until_ended(&run).await;
    Ok(redirect_plain_form(address(&run)))
}

/// Forgets which lessons this browser has seen.
#[server(name = ForgetProgress, prefix = "/api", endpoint = "strata/forget_progress")]
pub async fn forget_progress() -> Result<String, ApiError> {
    forget();
    Ok(redirect_plain_form(at("/lab")))
}

pub(super) fn lab() -> Result<Arc<Lab>, ApiError> {
    context::lab().ok_or_else(|| ApiError::Away("find the lab".to_owned()))
}

/// Starts an experiment, which counts as whose it is until it has ended. Sent twice it counts once.
pub(super) fn start(lab: &Lab, order: RunRequest) -> Result<Arc<Run>, ApiError> {
    let (console, actor) = (context::console()?, context::actor()?);
    let permit = || console.begin_experiment(&actor).map_err(NotStarted::Console);
    lab.start_permitted(order, permit).map_err(|error| match error {
        NotStarted::Console(error) => context::refuse(error),
        NotStarted::Lab(error) => refuse(lab_error(&error)),
    })
}

/// Why no experiment was started.
enum NotStarted {
    Console(ConsoleError),
    Lab(LabError),
}

impl From<LabError> for NotStarted {
    fn from(error: LabError) -> Self {
        Self::Lab(error)
    }
}

pub(super) fn permit(topic: &str) -> Result<(), ApiError> {
    context::console()?.authorise(&context::actor()?, ACTION, topic).map_err(context::refuse)
}

pub(super) fn permitted_run(id: &str) -> Result<Arc<Run>, ApiError> {
    let gone = "find this run: Strata was restarted, or newer runs replaced it";
    let run = lab()?.run(id).ok_or_else(|| refuse(ApiError::NotFound(gone.to_owned())))?;
    permit(&run.request().topic)?;
    Ok(run)
}

pub(super) fn record(run: &Run, what: &str) {
    if let (Ok(console), Ok(actor)) = (context::console(), context::actor()) {
        console.record(&actor, ACTION, &run.request().topic, &format!("{what} ({})", run.id()));
    }
}

// A visitor who changes the settings and presses again wants another run.
fn ticket(wish: &RunForm, guess: usize) -> String {
    if wish.ticket.is_empty() {
        return String::new();
    }
    let mut settings: Vec<_> = wish.settings.iter().collect();
    settings.sort();
    format!("{} {} {guess} {:?} {settings:?}", wish.ticket, wish.lesson, wish.pace)
}

fn address(run: &Run) -> String {
    run_address(&run.request().topic, run.id())
}

// Sends a browser without JavaScript there.
pub(super) fn redirect_plain_form(address: String) -> String {
    if context::is_plain_form() {
        leptos_axum::redirect(&address);
    }
    address
}

pub(super) fn lab_error(error: &LabError) -> ApiError {
    match error {
        LabError::Busy(_) | LabError::NeedsRedis => ApiError::Away(error.to_string()),
        _ => ApiError::Invalid(error.to_string()),
    }
}

pub(super) fn refuse(error: ApiError) -> ApiError {
    context::set_status(error.status());
    error
}
