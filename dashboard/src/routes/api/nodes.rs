use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use strata_console::{Actor, Console};
use strata_report::{NodeReport, NodesReport, RedisReport};

use crate::http::AppError;
use crate::http::extract::Query;
use crate::http::table::{FormatQuery, figures, table};

/// The newest report of every node.
#[utoipa::path(get, path = "/api/v1/nodes", responses((status = 200, description = "The newest reports.", body = [NodeReport])))]
pub(crate) async fn list(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
) -> Json<Vec<NodeReport>> {
    let mut nodes = console.nodes();
    let writes = nodes.iter_mut().flat_map(|node| &mut node.write_behinds);
    writes.for_each(|writes| actor.cover(writes));
    Json(nodes)
}

/// Every node in one row, and where nodes differ that should not.
#[utoipa::path(get, path = "/api/v1/nodes/rows", params(FormatQuery), responses((status = 200, description = "One row a node.", content((NodesReport = "application/json"), (String = "text/csv")))))]
pub(crate) async fn rows(
    State(console): State<Console>,
    Query(written): Query<FormatQuery>,
) -> Result<Response, AppError> {
    let report = console.nodes_report();
    Ok(table(written.format, "nodes", &report.nodes, || Json(&report)))
}

/// Redis, as it and the nodes see it.
#[utoipa::path(get, path = "/api/v1/redis", params(FormatQuery), responses((status = 200, description = "Redis. As CSV one line a figure.", content((RedisReport = "application/json"), (String = "text/csv")))))]
pub(crate) async fn redis(
    State(console): State<Console>,
    Query(written): Query<FormatQuery>,
) -> Result<Response, AppError> {
    let report = console.redis().await;
    Ok(table(written.format, "redis", &figures(&report), || Json(&report)))
}
