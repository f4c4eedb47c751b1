use leptos::prelude::*;
use strata_report::{Job, Plan};

use super::ApiError;

/// Invalidates one key on every level and node; done when it answers.
#[server(name = InvalidateKey, prefix = "/api", endpoint = "strata/invalidate_key")]
pub async fn invalidate_key(cache: String, key: String) -> Result<Job, ApiError> {
    use super::door;

    let job = door::console()?
        .invalidate_key(&door::actor()?, &cache, &key)
        .await
        .map_err(door::refuse)?;
    if door::is_plain_form() {
        leptos_axum::redirect(&format!("/?job={}#invalidate", job.id));
    }
    Ok(job)
}

/// Counts what a pattern would remove, and changes nothing.
#[server(name = PlanInvalidation, prefix = "/api", endpoint = "strata/plan")]
pub async fn plan_invalidation(cache: String, pattern: String) -> Result<Plan, ApiError> {
    use super::door;

    door::console()?.plan(&cache, &pattern).await.map_err(door::refuse)
}

/// Starts to invalidate every key that matches; answers at once with the job.
#[server(name = InvalidatePattern, prefix = "/api", endpoint = "strata/invalidate_pattern")]
pub async fn invalidate_pattern(cache: String, pattern: String) -> Result<Job, ApiError> {
    use super::door;

    door::console()?
        .invalidate_pattern(&door::actor()?, &cache, &pattern)
        .await
        .map_err(door::refuse)
}

/// A job's state once it has ended, or after half a second.
#[server(name = FollowJob, prefix = "/api", endpoint = "strata/job")]
pub async fn follow_job(id: u64) -> Result<Job, ApiError> {
    use std::time::Duration;

    use super::door;

    const PATIENCE: Duration = Duration::from_millis(500);
    door::console()?.finished(id, PATIENCE).await.map_err(door::refuse)
}

/// Stops a job; what it removed stays removed.
#[server(name = CancelJob, prefix = "/api", endpoint = "strata/cancel")]
pub async fn cancel_job(id: u64) -> Result<Job, ApiError> {
    use super::door;

    door::console()?.cancel(&door::actor()?, id).map_err(door::refuse)
}
