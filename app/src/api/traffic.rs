use leptos::prelude::*;
use strata_report::TrafficState;

use super::ApiError;

/// The traffic that the service sends itself; `None` where it sends none.
#[server(name = CurrentTraffic, prefix = "/api", endpoint = "strata/traffic")]
pub async fn traffic() -> Result<Option<TrafficState>, ApiError> {
    Ok(super::context::console()?.traffic())
}

/// Changes it while it runs.
#[server(name = SetTraffic, prefix = "/api", endpoint = "strata/set_traffic")]
pub async fn set_traffic(
    running: bool,
    rate_per_s: u32,
    skew: f64,
    write_share: f64,
) -> Result<TrafficState, ApiError> {
    use super::context;

    let (console, actor) = (context::console()?, context::actor()?);
    let wanted = TrafficState { running, rate_per_s, skew, write_share };
    console.set_traffic(&actor, wanted).map_err(context::refuse)
}
