use axum::response::Response;
use strata_demo::ObjectEdit;

use super::request::DemoRequest;
use strata_dashboard::program::AppError;
use strata_dashboard::program::extract::{Json, Path};

/// What a key of a trace stands for; every key has one.
pub(super) async fn get(asked: DemoRequest, Path(key): Path<String>) -> Response {
    asked.answer(asked.site.object(&asked.ctx, &key).await)
}

pub(super) async fn put(
    asked: DemoRequest,
    Path(key): Path<String>,
    Json(edit): Json<ObjectEdit>,
) -> Result<Response, AppError> {
    Ok(asked.answer(asked.write(asked.site.put_object(&asked.ctx, &key, edit)).await?))
}
