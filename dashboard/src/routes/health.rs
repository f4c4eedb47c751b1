use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use strata_console::Actor;
use strata_report::{L2Error, NodeReport, ServerKind, TaskReport, TaskState};

use crate::state::AppState;

/// Where the program says that it runs.
pub(super) const ALIVE_PATH: &str = "/healthz";

/// Where it says whether it can answer, and what it depends on.
pub(super) const READY_PATH: &str = "/readyz";

#[derive(Serialize)]
pub(crate) struct Alive {
    status: &'static str,
}

/// The state of everything that the program depends on.
#[derive(Serialize)]
pub(crate) struct Readiness {
    /// Whether requests can be answered.
    ready: bool,
    /// Whether the program was told to stop: begun requests end, and others should go elsewhere.
    stopping: bool,
    /// Missing where the sender may not look.
    #[serde(flatten)]
    parts: Option<Parts>,
}

/// What it depends on, with the names of nodes and what they say.
#[derive(Serialize)]
struct Parts {
    /// Missing where the program has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<Database>,
    redis: Redis,
    /// Each node's own way to Redis.
    nodes: Vec<NodeState>,
    /// Background tasks that do not run, those of nodes and the program's own. No reason not to be
    /// ready: they start again, and requests are answered meanwhile.
    tasks_down: Vec<TaskDown>,
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
    /// When this was known, milliseconds since the epoch.
    at_ms: u64,
    /// Since when nothing proves that invalidations arrive, and why; `null` while all is well.
    bus_silent_since_ms: Option<u64>,
    bus_silent_because: Option<String>,
    /// What is the matter with Redis at the moment; `null` while all is well.
    l2_last_error: Option<L2Error>,
    /// What answers, and its version.
    l2_server: Option<ServerKind>,
}

/// A background task that does not run.
#[derive(Serialize)]
struct TaskDown {
    /// `null` for a task of the program itself.
    node: Option<String>,
    task: String,
    state: TaskState,
    /// Since when, milliseconds since the epoch.
    since_ms: Option<u64>,
    because: Option<String>,
}

/// Whether the program runs at all.
pub(crate) async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// Whether requests can be answered, and what the program depends on.
pub(crate) async fn ready(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
) -> (StatusCode, Json<Readiness>) {
    let database = match &state.needs.database {
        Some(answers) => Some(Database { up: answers().await }),
        None => None,
    };
    let up = database.as_ref().is_none_or(|database| database.up);
    let stopping = state.shutdown.is_cancelled();
    let ready = up && !stopping;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let parts = actor.rights.look.then(|| parts(&state, database));
    (status, Json(Readiness { ready, stopping, parts }))
}

fn parts(state: &AppState, database: Option<Database>) -> Parts {
    let reports = state.console.own_reports();
    let mut tasks_down = down(None, state.console.tasks());
    for report in &reports {
        tasks_down.extend(down(Some(&report.node), report.tasks.clone()));
    }
    let nodes: Vec<_> = reports.iter().map(|report| node_state(report)).collect();
    Parts { database, redis: redis(state, &nodes), nodes, tasks_down }
}

fn node_state(report: &NodeReport) -> NodeState {
    NodeState {
        node: report.node.clone(),
        l2_configured: report.l2.configured,
        l2_breaker_open: report.l2.breaker_open,
        bus_connected: report.bus.connected,
        at_ms: report.at_ms,
        bus_silent_since_ms: report.bus.silent_since_ms,
        bus_silent_because: report.bus.silent_because.clone(),
        l2_last_error: report.l2.last_error.clone(),
        l2_server: report.l2.server.clone(),
    }
}

fn down(node: Option<&String>, tasks: Vec<TaskReport>) -> Vec<TaskDown> {
    let down = tasks.into_iter().filter(|task| !task.runs());
    let down = down.map(|task| TaskDown {
        node: node.cloned(),
        task: task.task,
        state: task.state,
        since_ms: task.failing_since_ms,
        because: task.failure,
    });
    down.collect()
}

fn redis(state: &AppState, nodes: &[NodeState]) -> Redis {
    let pid = state.needs.redis_pid.as_ref().and_then(|pid| *pid.borrow());
    let private = state.needs.redis_pid.is_some();
    let redis = state.console.redis_state();
    // Redis is asked only now and then; what is known sooner counts. Where all nodes are elsewhere,
    // there may be none.
    let (configured, up, is_cut_off) = match state.console.own_l2() {
        Some(l2) => (l2.configured, redis.up || !redis.configured, l2.breaker_open),
        None => {
            let all_cut_off = nodes.iter().all(|node| node.l2_breaker_open);
            (redis.configured, redis.up, all_cut_off && !nodes.is_empty())
        }
    };
    let is_lost = (private && pid.is_none()) || is_cut_off;
    let answers = match (configured, up && !is_lost) {
        (false, _) => "off",
        (true, true) => "up",
        (true, false) => "down",
    };
    Redis { state: answers, private, pid }
}
