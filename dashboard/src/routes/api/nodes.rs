use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Json};
use serde::Deserialize;
use strata_app::at;
use strata_console::{Actor, Console, ConsoleError, NODES_AT_ONCE, NodeCondition, NodesQuery};
use strata_report::{NodeReport, NodesReport, RedisReport};

use crate::http::AppError;
use crate::http::extract::Query;
use crate::http::table::{Format, FormatQuery, encoded, figures, goes_on, table};
use crate::routes::openapi::Part;

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

/// The most rows of one answer, and how many there are where nothing is said.
const MAX_ROWS: u32 = 1_000;
const DEFAULT_ROWS: u32 = NODES_AT_ONCE as u32;

/// Which nodes, and how to write them.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NodeRowsQuery {
    /// What their ids contain.
    name: Option<String>,
    /// How they are: `lost`, `trouble`, `late`, `starting` or `well`.
    state: Option<String>,
    /// Their program.
    app: Option<String>,
    /// Anything: those that name no program.
    no_app: Option<String>,
    /// Their program's version.
    version: Option<String>,
    /// Anything: those that name no version.
    no_version: Option<String>,
    /// The most rows, between 1 and 1000; 50 where nothing is said, as CSV 1000.
    limit: Option<u32>,
    /// The `next` of the rows before.
    cursor: Option<String>,
    #[serde(default)]
    format: Format,
}

/// Nodes by their ids, each in one row, and where all nodes differ that should not. Where there are
/// more, `next` and the header `Link` with `rel="next"` say where to go on.
#[utoipa::path(get, path = "/api/v1/nodes/rows", params(NodeRowsQuery), responses((status = 200, description = "One row a node.", headers(("Link" = String, description = "Where to go on, with `rel=\"next\"`; none at the end.")), content((NodesReport = "application/json"), (String = "text/csv"))), Part))]
pub(crate) async fn rows(
    State(console): State<Console>,
    Query(wanted): Query<NodeRowsQuery>,
) -> Result<Response, AppError> {
    let format = wanted.format;
    let limit = wanted.limit.unwrap_or(match format {
        Format::Json => DEFAULT_ROWS,
        Format::Csv => MAX_ROWS,
    });
    if !(1..=MAX_ROWS).contains(&limit) {
        return Err(ConsoleError::BadLimit(MAX_ROWS).into());
    }
    let cursor = wanted.cursor.as_deref();
    let nodes = wanted.nodes()?;
    let report = console.node_rows(&nodes, (cursor, limit as usize));
    let next = report.next.as_deref().map(|cursor| next(&nodes, (cursor, limit), format));
    let answer = table(format, "nodes", &report.nodes, || Json(&report));
    Ok(goes_on(answer, "nodes", next))
}

impl NodeRowsQuery {
    fn nodes(&self) -> Result<NodesQuery, AppError> {
        if let Some(state) = &self.state
            && NodeCondition::named(state).is_none()
        {
            let known = NodeCondition::ALL.map(NodeCondition::as_str).join(", ");
            return Err(AppError::bad_request("bad-query", format!("A state is one of {known}.")));
        }
        Ok(NodesQuery::of(|name| self.field(name)))
    }

    fn field(&self, name: &str) -> Option<&str> {
        let field = match name {
            "name" => &self.name,
            "state" => &self.state,
            "app" => &self.app,
            "no_app" => &self.no_app,
            "version" => &self.version,
            "no_version" => &self.no_version,
            _ => return None,
        };
        field.as_deref()
    }
}

/// The address of the rows after these.
fn next(nodes: &NodesQuery, (cursor, limit): (&str, u32), format: Format) -> String {
    let mut next = at("/api/v1/nodes/rows?");
    for (field, text) in nodes.fields() {
        next += &format!("{field}={}&", encoded(&text));
    }
    next + &format!("limit={limit}&cursor={}&format={}", encoded(cursor), format.as_str())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_on_with_what_was_asked_for() {
        let asked = |query: &str| -> NodeRowsQuery {
            axum::extract::Query::try_from_uri(&format!("/?{query}").parse().unwrap()).unwrap().0
        };
        let some = asked("name=pod%201&state=late&no_app=1&format=csv");
        let nodes = some.nodes().unwrap();
        assert_eq!((nodes.condition, nodes.app.as_deref()), (Some(NodeCondition::Late), Some("")));
        assert_eq!(
            next(&nodes, ("pod-7", 10), some.format),
            "/api/v1/nodes/rows?\
             name=pod%201&state=late&no_app=1&limit=10&cursor=pod%2D7&format=csv",
        );
        assert_eq!(asked("").nodes().unwrap(), NodesQuery::default());
        assert!(asked("state=cats").nodes().is_err());
    }
}
