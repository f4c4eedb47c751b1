use axum::response::Response;
use serde::Deserialize;

use super::request::DemoRequest;
use strata_dashboard::program::extract::{Path, Query};

/// Which page of a timeline.
#[derive(Deserialize)]
pub(crate) struct Page {
    #[serde(default = "first")]
    page: u32,
}

fn first() -> u32 {
    1
}

/// One page of an author's posts, newest first.
pub(super) async fn get(
    asked: DemoRequest,
    Path(author): Path<i64>,
    Query(Page { page }): Query<Page>,
) -> Response {
    asked.answer(asked.site.timeline(&asked.ctx, author, page).await)
}
