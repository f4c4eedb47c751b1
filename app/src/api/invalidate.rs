use leptos::prelude::*;
use strata_report::Job;

use super::ApiError;

/// Invalidates one key on every level and node; done when it answers.
#[server(name = InvalidateKey, prefix = "/api", endpoint = "strata/invalidate_key")]
pub async fn invalidate_key(cache: String, key: String) -> Result<Job, ApiError> {
    use super::context;

    let job = context::console()?
        .invalidate_key(&context::actor()?, &cache, &key)
        .await
        .map_err(context::refuse)?;
    Ok(redirect_plain_form(job))
}

/// Marks one key as stale: readers get the older value while one of them loads the new one.
#[server(name = MarkKeyStale, prefix = "/api", endpoint = "strata/soften_key")]
pub async fn mark_key_stale(cache: String, key: String) -> Result<Job, ApiError> {
    use super::context;

    let job = context::console()?
        .mark_key_stale(&context::actor()?, &cache, &key)
        .await
        .map_err(context::refuse)?;
    Ok(redirect_plain_form(job))
}

/// Reloads one key on every level and node.
#[server(name = RefreshKey, prefix = "/api", endpoint = "strata/refresh_key")]
pub async fn refresh_key(cache: String, key: String) -> Result<Job, ApiError> {
    use super::context;

    let job = context::console()?
        .refresh_key(&context::actor()?, &cache, &key)
        .await
        .map_err(context::refuse)?;
    Ok(redirect_plain_form(job))
}

/// Begins what was planned; answers at once with the job. `typed` is the pattern once more, where
/// the plan asks for it.
#[server(name = RunPlan, prefix = "/api", endpoint = "strata/run_plan")]
pub async fn run_plan(id: String, #[server(default)] typed: String) -> Result<Job, ApiError> {
    use super::context;

    let typed = Some(typed.as_str()).filter(|typed| !typed.is_empty());
    let job = context::console()?
        .run_plan(&context::actor()?, &id, typed)
        .await
        .map_err(context::refuse)?;
    Ok(redirect_plain_form(job))
}

/// Stops a job; what it removed stays removed.
#[server(name = CancelJob, prefix = "/api", endpoint = "strata/cancel")]
pub async fn cancel_job(id: u64) -> Result<Job, ApiError> {
    use super::context;

    let job = context::console()?.cancel(&context::actor()?, id).map_err(context::refuse)?;
    Ok(redirect_plain_form(job))
}

/// Sends a browser without JavaScript to the page that tells of the job.
#[cfg(feature = "ssr")]
fn redirect_plain_form(job: Job) -> Job {
    if super::context::is_plain_form() {
        leptos_axum::redirect(&crate::addresses::job_address(&job));
    }
    job
}
