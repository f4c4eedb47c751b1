use axum::extract::State;
use axum::{Extension, Json};
use strata_console::{Actor, Console};
use strata_report::{Job, KeyLook};

use crate::error::AppError;
use crate::extract::Path;

/// One key in every level, looked at without disturbing the cache.
pub(crate) async fn look(
    State(console): State<Console>,
    Path((cache, key)): Path<(String, String)>,
) -> Result<Json<KeyLook>, AppError> {
    Ok(Json(console.look(&cache, &key).await?))
}

/// Invalidates one key on every level and node; done when it answers.
pub(crate) async fn invalidate(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path((cache, key)): Path<(String, String)>,
) -> Result<Json<Job>, AppError> {
    Ok(Json(console.invalidate_key(&actor, &cache, &key).await?))
}
