use leptos::prelude::*;
use strata_report::TrafficState;

use super::ApiError;

// As the audit trail names it, whichever door it came through.
#[cfg(feature = "ssr")]
const ACTION: &str = "set_traffic";
#[cfg(feature = "ssr")]
const TARGET: &str = "demo";

/// The demo's traffic; `None` where there is none.
#[server(name = CurrentTraffic, prefix = "/api", endpoint = "strata/traffic")]
pub async fn traffic() -> Result<Option<TrafficState>, ApiError> {
    Ok(super::context::traffic().map(|traffic| traffic.state()))
}

/// Changes the demo's traffic while it runs.
#[server(name = SetTraffic, prefix = "/api", endpoint = "strata/set_traffic")]
pub async fn set_traffic(
    running: bool,
    rate_per_s: u32,
    skew: f64,
    write_share: f64,
) -> Result<TrafficState, ApiError> {
    use axum::http::StatusCode;

    use super::context;

    let Some(traffic) = context::traffic() else {
        context::set_status(StatusCode::NOT_FOUND);
        return Err(ApiError::NotFound("find any traffic to change".to_owned()));
    };
    let (console, actor) = (context::console()?, context::actor()?);
    console.authorise(&actor, ACTION, TARGET).map_err(context::refuse)?;
    let before = traffic.state();
    traffic.set(TrafficState { running, rate_per_s, skew, write_share }).map_err(|error| {
        context::set_status(StatusCode::UNPROCESSABLE_ENTITY);
        ApiError::Invalid(error.to_string())
    })?;
    let state = traffic.state();
    console.record(&actor, ACTION, TARGET, &change(&before, &state));
    Ok(state)
}

/// What a change of the traffic did, for the audit trail: the settings before and after.
#[cfg(feature = "ssr")]
pub fn change(before: &TrafficState, after: &TrafficState) -> String {
    let told = |state: &TrafficState| {
        let TrafficState { running, rate_per_s, skew, write_share } = state;
        let runs = if *running { "running" } else { "stopped" };
        format!("{runs}, {rate_per_s} requests/s, skew {skew}, share of writes {write_share}")
    };
    format!("From {} to {}.", told(before), told(after))
}
