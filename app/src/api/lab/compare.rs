use std::collections::HashMap;

use leptos::prelude::*;
use strata_lab::{Comparison, Run, RunRequest, StepMode};

use super::run::{lab, permit, permitted_run, record, redirect_plain_form, refuse, start};
use super::wait::until_ended;
use crate::addresses::{comparison_address, encode};
use crate::api::ApiError;

/// What it is about, where runs are told apart.
const TOPIC: &str = "compare";

/// Runs a comparison; answers the address at which it is watched. `fields` are those of its
/// address.
#[server(name = Compare, prefix = "/api", endpoint = "strata/compare")]
pub async fn compare(
    #[server(default)] fields: HashMap<String, String>,
    #[server(default)] ticket: String,
) -> Result<String, ApiError> {
    permit(TOPIC)?;
    let comparison = read(&fields)?;
    let lab = lab()?;
    let invalid = |error: &dyn std::fmt::Display| refuse(ApiError::Invalid(error.to_string()));
    let experiment = match &comparison.trace {
        None => comparison.experiment(),
        Some(id) => {
            let found = lab.traces().find(id).await.map_err(|error| invalid(&error))?;
            let gone = "find this trace: upload it again";
            let found = found.ok_or_else(|| refuse(ApiError::NotFound(gone.to_owned())))?;
            comparison.replay(&found.recording)
        }
    };
    let address = comparison_address(&comparison);
    let order = RunRequest {
        topic: TOPIC.to_owned(),
        experiment: experiment.map_err(|error| invalid(&error))?,
        settings: comparison.settings.clone(),
        step_mode: StepMode::AllAtOnce,
        guess: None,
        // A visitor who changes something and presses again wants another run.
        ticket: if ticket.is_empty() { ticket } else { format!("{ticket} {address}") },
    };
    let run = start(&lab, order)?;
    record(&run, "started");
    until_ended(&run).await;
    Ok(redirect_plain_form(watched(&address, &run)))
}

/// Stops a comparison; what it came to so far can still be seen.
#[server(name = StopComparison, prefix = "/api", endpoint = "strata/stop_comparison")]
pub async fn stop_comparison(
    id: String,
    #[server(default)] fields: HashMap<String, String>,
) -> Result<String, ApiError> {
    let run = permitted_run(&id)?;
    let comparison = read(&fields)?;
    run.stop();
    record(&run, "stopped");
    until_ended(&run).await;
    Ok(redirect_plain_form(watched(&comparison_address(&comparison), &run)))
}

fn read(fields: &HashMap<String, String>) -> Result<Comparison, ApiError> {
    let fields = fields.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    Comparison::of_fields(fields).map_err(|error| refuse(ApiError::Invalid(error.to_string())))
}

fn watched(address: &str, run: &Run) -> String {
    format!("{address}&run={}", encode(run.id()))
}
