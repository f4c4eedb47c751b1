use axum::response::Response;
use strata_app::at;
use strata_demo::{PostDraft, PostEdit};

use super::request::DemoRequest;
use strata_dashboard::program::AppError;
use strata_dashboard::program::extract::{Json, Path};

pub(super) async fn get(asked: DemoRequest, Path(id): Path<i64>) -> Response {
    asked.answer(asked.site.post(&asked.ctx, id).await)
}

/// Makes a post; `Location` tells where.
pub(super) async fn create(
    asked: DemoRequest,
    Json(draft): Json<PostDraft>,
) -> Result<Response, AppError> {
    let made = asked.write(asked.site.create_post(&asked.ctx, draft)).await?;
    Ok(asked.made(made, |post| at(&format!("/demo/posts/{}", post.id))))
}

/// Changes the fields that are given.
pub(super) async fn put(
    asked: DemoRequest,
    Path(id): Path<i64>,
    Json(edit): Json<PostEdit>,
) -> Result<Response, AppError> {
    Ok(asked.answer(asked.write(asked.site.put_post(&asked.ctx, id, edit)).await?))
}

pub(super) async fn delete(asked: DemoRequest, Path(id): Path<i64>) -> Result<Response, AppError> {
    Ok(asked.removed(asked.write(asked.site.delete_post(&asked.ctx, id)).await?))
}
