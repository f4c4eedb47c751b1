use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Serialize;
use strata_app::{ListedService, ServiceState};
use strata_console::Actor;
use strata_report::TaskReport;

use super::list::Services;
use super::watched_redis::{Reach, WatchedRedis};

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
    /// What is expected and was heard of nowhere, as sentences.
    missing: Vec<String>,
    /// Background tasks of the program that do not run; they start again.
    tasks_down: Vec<TaskReport>,
}

#[derive(Serialize)]
struct RedisReadiness {
    /// That of the worst of them: `up`, `refuses` where one does not tell which services there are,
    /// `not_asked` where one was not heard yet, `down` where one is not heard.
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
        self.missing.clear();
        self.tasks_down.clear();
    }
}

fn readiness(services: &Services) -> Readiness {
    let stopping = services.front.http.shutdown().is_cancelled();
    let (listed, _) = services.listed();
    let reaches: Vec<_> = services.redis.iter().map(|redis| reach(redis, &listed)).collect();
    // One of which nothing is wanted is never asked, and that is no fault of it.
    let wanted = services.redis.iter().zip(&reaches).filter(|(redis, _)| redis.is_wanted());
    let worst = wanted.map(|(_, reach)| *reach).max().unwrap_or(Reach::NotAsked);
    let one = |(redis, reach): (&WatchedRedis, &Reach)| OneRedis {
        redis: redis.redis.name.clone(),
        state: reach.as_str(),
    };
    let each = services.redis.iter().zip(&reaches).map(one).collect();
    let state = worst.as_str();
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
        missing: services.missing(),
        tasks_down: tasks_down.into_iter().filter(|task| !task.runs()).collect(),
    }
}

/// How a Redis is reached, by its listings and by what watches its services.
fn reach(redis: &WatchedRedis, listed: &[ListedService]) -> Reach {
    let here = listed.iter().filter(|service| service.redis == redis.redis.name);
    let by_services = here.map(|service| match service.frame.fleet.as_ref() {
        Some(fleet) if fleet.unheard_ms.is_some() => Reach::Down,
        Some(fleet) if fleet.was_heard => Reach::Up,
        _ => Reach::NotAsked,
    });
    together(by_services.chain(redis.reach()))
}

/// What several ways to one Redis say together. One that has not answered yet says nothing where
/// another one has.
fn together(ways: impl Iterator<Item = Reach>) -> Reach {
    let said = ways.filter(|way| *way != Reach::NotAsked);
    said.max().unwrap_or(Reach::NotAsked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_begins_does_not_make_a_redis_that_answers_one_that_was_not_asked() {
        for (ways, said) in [
            (&[][..], Reach::NotAsked),
            (&[Reach::NotAsked], Reach::NotAsked),
            (&[Reach::NotAsked, Reach::Up], Reach::Up),
            (&[Reach::Up, Reach::NotAsked, Reach::Refuses], Reach::Refuses),
            (&[Reach::Up, Reach::Down, Reach::NotAsked], Reach::Down),
        ] {
            assert_eq!(together(ways.iter().copied()), said, "{ways:?}");
        }
    }
}
