use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use strata_app::{ListedService, ServiceState};
use strata_console::Actor;
use strata_report::TaskReport;

use super::list::Services;

/// Whether requests can be answered, and what there is.
#[derive(Serialize)]
pub(super) struct Readiness {
    /// Also while Redis is away: the pages say so then.
    ready: bool,
    stopping: bool,
    redis: RedisReadiness,
    services_known: usize,
    services_up: usize,
    /// For whoever may look, as all names here.
    services: Vec<ServiceReadiness>,
    /// Background tasks of the program that do not run; they start again.
    tasks_down: Vec<TaskReport>,
}

#[derive(Serialize)]
struct RedisReadiness {
    /// `up` where each Redis is heard, `down` where one is not.
    state: &'static str,
    private: bool,
    pid: Option<u32>,
    /// Each by its name.
    each: Vec<OneRedis>,
}

#[derive(Serialize)]
struct OneRedis {
    redis: Option<String>,
    state: &'static str,
}

#[derive(Serialize)]
struct ServiceReadiness {
    service: String,
    state: &'static str,
}

pub(super) async fn ready(
    State(services): State<Arc<Services>>,
    Extension(actor): Extension<Actor>,
) -> (StatusCode, Json<Readiness>) {
    let mut readiness = readiness(&services);
    if !actor.rights.look {
        readiness.hide_names();
    }
    let stopping = readiness.stopping;
    let status = if stopping { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, Json(readiness))
}

impl Readiness {
    fn hide_names(&mut self) {
        self.redis.each.clear();
        self.services.clear();
        self.tasks_down.clear();
    }
}

fn readiness(services: &Services) -> Readiness {
    let stopping = services.front.http.shutdown().is_cancelled();
    let (listed, redis) = services.listed();
    let each: Vec<_> = redis
        .iter()
        .map(|redis| {
            let here = listed.iter().filter(|service| service.redis == redis.name);
            let is_up = redis.failure.is_none() && here.clone().all(is_heard);
            OneRedis { redis: redis.name.clone(), state: if is_up { "up" } else { "down" } }
        })
        .collect();
    let all_up = each.iter().all(|one| one.state == "up");
    let state = if all_up { "up" } else { "down" };
    let of = |service: &ListedService| ServiceReadiness {
        service: service.id.clone(),
        state: ServiceState::of(&service.frame).as_str(),
    };
    let tasks_down = services.front.http.console().tasks();
    let is_up = |service: &&ListedService| ServiceState::of(&service.frame) == ServiceState::Up;
    Readiness {
        ready: !stopping,
        stopping,
        redis: RedisReadiness { state, private: false, pid: None, each },
        services_known: listed.len(),
        services_up: listed.iter().filter(is_up).count(),
        services: listed.iter().map(of).collect(),
        tasks_down: tasks_down.into_iter().filter(|task| !task.runs()).collect(),
    }
}

/// Heard of at all, and not silent by now.
fn is_heard(service: &ListedService) -> bool {
    let fleet = service.frame.fleet.as_ref();
    fleet.is_some_and(|fleet| fleet.was_heard && fleet.unheard_ms.is_none())
}
