use leptos::prelude::*;

use super::run::{lab, lab_error, permit, redirect_plain_form, refuse};
use crate::addresses::at;
use crate::api::{ApiError, context};

const TOPIC: &str = "measured";
const PATH: &str = "/lab/measured";
// As the audit trail names it.
const ACTION: &str = "measure";

/// Measures what a read costs on each level; answers the address of the table.
#[server(name = Measure, prefix = "/api", endpoint = "strata/measure")]
pub async fn measure() -> Result<String, ApiError> {
    permit(TOPIC)?;
    lab()?.measure().map_err(|error| refuse(lab_error(&error)))?;
    note("started")?;
    Ok(redirect_plain_form(at(PATH)))
}

/// Stops the measurement; the table before it stays.
#[server(name = StopMeasuring, prefix = "/api", endpoint = "strata/stop_measuring")]
pub async fn stop_measuring() -> Result<String, ApiError> {
    permit(TOPIC)?;
    lab()?.stop_measuring();
    note("stopped")?;
    Ok(redirect_plain_form(at(PATH)))
}

fn note(what: &str) -> Result<(), ApiError> {
    context::console()?.record(&context::actor()?, ACTION, TOPIC, what);
    Ok(())
}
