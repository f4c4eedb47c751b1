use axum::Json;
use axum::extract::State;
use strata_console::Console;
use strata_report::NodeReport;

/// The newest report of every node.
pub(crate) async fn list(State(console): State<Console>) -> Json<Vec<NodeReport>> {
    Json(console.nodes())
}
