use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::state::AppState;

#[derive(Serialize)]
pub(crate) struct Alive {
    status: &'static str,
}

/// The state of everything that the program depends on.
#[derive(Serialize)]
pub(crate) struct Readiness {
    /// Whether requests can be answered.
    ready: bool,
    database: Database,
    redis: Redis,
    /// Each node's own way to Redis.
    nodes: Vec<NodeState>,
}

#[derive(Serialize)]
struct Database {
    up: bool,
}

#[derive(Serialize)]
struct Redis {
    /// `off`, `up` or `down`. Down is no reason not to be ready: L1 and the database go on.
    state: &'static str,
    /// Whether it is our own and goes away with us.
    private: bool,
    /// Its process id, where it is our own and runs.
    pid: Option<u32>,
}

#[derive(Serialize)]
struct NodeState {
    node: String,
    l2_configured: bool,
    l2_breaker_open: bool,
    bus_connected: bool,
}

/// Whether the program runs at all.
pub(crate) async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// Whether requests can be answered, and what the program depends on.
pub(crate) async fn ready(State(state): State<AppState>) -> (StatusCode, Json<Readiness>) {
    let up = state.store.ping().await.is_ok();
    let status = if up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let nodes = state.console.nodes().into_iter().map(|report| NodeState {
        node: report.node,
        l2_configured: report.l2.configured,
        l2_breaker_open: report.l2.breaker_open,
        bus_connected: report.bus.connected,
    });
    let nodes: Vec<_> = nodes.collect();
    let redis = redis(&state, &nodes);
    let readiness = Readiness { ready: up, database: Database { up }, redis, nodes };
    (status, Json(readiness))
}

fn redis(state: &AppState, nodes: &[NodeState]) -> Redis {
    let pid = state.redis_pid.as_ref().and_then(|pid| *pid.borrow());
    let private = state.redis_pid.is_some();
    let redis = &state.console.frame().redis;
    // Redis is asked only now and then; what is known sooner counts.
    let is_lost = (private && pid.is_none()) || nodes.iter().all(|node| node.l2_breaker_open);
    let answers = match (redis.configured, redis.up && !is_lost) {
        (false, _) => "off",
        (true, true) => "up",
        (true, false) => "down",
    };
    Redis { state: answers, private, pid }
}
