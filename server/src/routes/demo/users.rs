use axum::response::Response;
use serde::Deserialize;
use strata_app::at;
use strata_demo::{UserDraft, UserEdit};

use super::request::DemoRequest;
use strata_dashboard::program::AppError;
use strata_dashboard::program::extract::{Json, Path, Query};

/// Which users to list.
#[derive(Deserialize)]
pub(crate) struct Batch {
    /// Ids with commas between them.
    ids: String,
}

/// Some users, in the order of `ids`; `null` stands for one that does not exist.
pub(super) async fn list(
    asked: DemoRequest,
    Query(batch): Query<Batch>,
) -> Result<Response, AppError> {
    let ids = batch.ids.split(',').map(|id| id.trim().parse()).collect::<Result<Vec<i64>, _>>();
    let ids = ids.map_err(|_| {
        AppError::bad_request("bad-ids", "ids must be whole numbers with commas between them.")
    })?;
    Ok(asked.answer(asked.site.users(&asked.ctx, &ids).await))
}

pub(super) async fn get(asked: DemoRequest, Path(id): Path<i64>) -> Response {
    asked.answer(asked.site.user(&asked.ctx, id).await)
}

/// Makes a user; `Location` tells where.
pub(super) async fn create(
    asked: DemoRequest,
    Json(draft): Json<UserDraft>,
) -> Result<Response, AppError> {
    let made = asked.write(asked.site.create_user(&asked.ctx, draft)).await?;
    Ok(asked.made(made, |user| at(&format!("/demo/users/{}", user.id))))
}

/// Changes the fields that are given.
pub(super) async fn put(
    asked: DemoRequest,
    Path(id): Path<i64>,
    Json(edit): Json<UserEdit>,
) -> Result<Response, AppError> {
    Ok(asked.answer(asked.write(asked.site.put_user(&asked.ctx, id, edit)).await?))
}

/// Removes a user with all posts.
pub(super) async fn delete(asked: DemoRequest, Path(id): Path<i64>) -> Result<Response, AppError> {
    Ok(asked.removed(asked.write(asked.site.delete_user(&asked.ctx, id)).await?))
}
