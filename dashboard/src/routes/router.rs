use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use strata_console::{Actor, Console};
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use super::looks::note_looks;
use super::route_table::{Route, RouteKind, RouteTable};
use super::{api, events, health, login, metrics, openapi};
use crate::access::{
    AnonymousTurns, ApplicationRules, CrossSite, HARMLESS, Hosts, Identification, Proxies,
    PublicUrl, admit, admit_by_application, check_host, csrf, explain_cross_site, guard_functions,
    identify, identify_by_application, is_open, take_turns,
};
use crate::assets;
use crate::http::{AppError, FUNCTIONS, check_body_size, compress, harden};
use crate::pages::{functions, scripts, tell_errors, tell_refusals, with_screens};
use crate::state::AppState;

/// The rules by which requests are admitted: names of this host, trusted proxies, the public URL.
#[derive(Clone)]
pub struct AccessRules {
    /// Which hosts requests may be addressed to.
    pub hosts: Hosts,
    /// Who is believed about where a request came from.
    pub proxies: Proxies,
    /// Where browsers find the dashboard, as far as it was configured.
    pub public_url: Option<PublicUrl>,
    /// The turns of anonymous requests; all routers with the same share them.
    pub turns: AnonymousTurns,
}

/// Who decides which requests are admitted.
#[derive(Clone)]
pub(crate) enum Admission {
    /// The dashboard itself.
    ByProgram(AccessRules),
    /// The application around it.
    ByApplication(ApplicationRules),
}

/// What a program answers beside the dashboard, for those whom it admits.
#[derive(Default)]
pub struct MoreRoutes {
    /// Paths with the same limits as those of the dashboard.
    pub router: Router,
    /// Paths that take larger bodies than all others, and see to their limits themselves.
    pub uploads: Router,
    /// All of them.
    pub routes: Vec<Route>,
}

/// Every path of a program: those of the dashboard, and what it has beside them.
pub(crate) fn router(state: AppState, admission: Admission, more: Vec<MoreRoutes>) -> Router {
    with_layers(every_path(&state, more), &state, admission).with_state(state)
}

/// What a program with several dashboards answers below a name that none of them has: whoever may look
/// is answered by `own`, and anybody else as below a name that one of them has.
pub(crate) fn unknown_service_router(state: AppState, admission: Admission, own: Router) -> Router {
    let router =
        every_path(&state, Vec::new()).layer(from_fn_with_state(own, answer_viewers_elsewhere));
    with_layers(router, &state, admission).with_state(state)
}

async fn answer_viewers_elsewhere(
    State(own): State<Router>,
    request: Request,
    next: Next,
) -> Response {
    let may_look = request.extensions().get::<Actor>().is_some_and(|actor| actor.rights.look);
    let path = request.uri().path();
    // What is open to everybody is the program's, but for what `own` has to say of this name.
    let is_programs = is_open(path) && path != health::READY_PATH;
    match may_look && !is_programs {
        true => own.oneshot(request).await.into_response(),
        false => next.run(request).await,
    }
}

fn every_path(state: &AppState, more: Vec<MoreRoutes>) -> Router<AppState> {
    let (mut programs, _) = programs(state);
    let mut uploads = Router::new();
    for one in more {
        programs = programs.merge(one.router.with_state(()));
        uploads = uploads.merge(one.uploads.with_state(()));
    }
    let programs = programs
        .method_not_allowed_fallback(async || AppError::method_not_allowed())
        .merge(assets::routes())
        .merge(scripts());
    with_screens(programs, state)
        .route_layer(from_fn(openapi::refuse_unknown_parameters))
        .layer(from_fn(check_body_size))
        .merge(uploads)
}

/// The dashboard's own routes, without pages and files.
pub(crate) fn routes(state: &AppState) -> Vec<Route> {
    let (_, routes) = programs(state);
    let functions = functions(state).map(|(path, method)| {
        let name = path.strip_prefix(FUNCTIONS).unwrap_or_default();
        let kind = if HARMLESS.contains(&name) { RouteKind::Ask } else { RouteKind::Change };
        Route::new(method, path, kind)
    });
    routes.into_iter().chain(functions).collect()
}

fn programs(state: &AppState) -> (Router<AppState>, Vec<Route>) {
    let console = &state.console;
    let mut table = RouteTable::new(console)
        // Monitoring
        .get(health::ALIVE_PATH, health::alive)
        .get(health::READY_PATH, health::ready)
        .get("/metrics", metrics::metrics)
        // The API, for reading
        .get("/api/v1/openapi.json", openapi::document)
        .get("/api/v1/session", api::session::get)
        .get("/api/v1/nodes", api::nodes::list)
        .get("/api/v1/nodes/rows", api::nodes::rows)
        .get("/api/v1/redis", api::nodes::redis)
        .get("/api/v1/history", api::history::all)
        .get("/api/v1/activity", api::activity::list)
        .get("/api/v1/alerts", api::alerts::list)
        .get("/api/v1/caches", api::caches::list)
        .get("/api/v1/caches/{cache}", api::caches::get)
        .get("/api/v1/caches/{cache}/report", api::caches::report)
        .get("/api/v1/caches/{cache}/agreement", api::caches::agreement)
        .get("/api/v1/caches/{cache}/history", api::history::of_cache)
        .get("/api/v1/caches/{cache}/keys", api::keys::search)
        .get("/api/v1/caches/{cache}/keys/{key}", api::keys::look)
        // The same for any key, whatever becomes of paths on their way
        .get("/api/v1/caches/{cache}/key", api::keys::look_at)
        .get("/api/v1/write-behinds", api::dead_letters::write_behinds)
        .get("/api/v1/caches/{cache}/dead-letters", api::dead_letters::list)
        .get("/api/v1/caches/{cache}/dead-letters/job", api::dead_letters::job)
        .ask("/api/v1/caches/{cache}/plans", api::invalidations::plan)
        .get("/api/v1/invalidations", api::invalidations::list)
        .get("/api/v1/invalidations/{id}", api::invalidations::get)
        .get("/api/v1/audit", api::audit::list)
        // Live numbers
        .get("/events", events::events);
    if state.application.is_none() {
        table = table
            .get("/login", login::page)
            .ask("/login", login::log_in)
            .ask("/logout", login::log_out);
    }
    changing_caches(&mut table);
    if console.traffic().is_some() {
        table = table.get(api::traffic::PATH, api::traffic::get);
        table.changing("set_traffic").put(api::traffic::PATH, api::traffic::put);
    }
    table.finish()
}

/// The API, for changes to caches.
fn changing_caches(table: &mut RouteTable<AppState>) {
    const KEY: &str = "/api/v1/caches/{cache}/keys/{key}";
    const ANY_KEY: &str = "/api/v1/caches/{cache}/key";
    table
        .changing("invalidate_key")
        .delete(KEY, api::keys::invalidate)
        .delete(ANY_KEY, api::keys::invalidate_it);
    table
        .changing("soften_key")
        .post("/api/v1/caches/{cache}/keys/{key}/soften", api::keys::soften)
        .post("/api/v1/caches/{cache}/key/soften", api::keys::soften_it);
    table
        .changing("refresh_key")
        .post("/api/v1/caches/{cache}/keys/{key}/refresh", api::keys::refresh)
        .post("/api/v1/caches/{cache}/key/refresh", api::keys::refresh_it);
    table
        .changing("invalidate_pattern")
        .post("/api/v1/plans/{id}/run", api::invalidations::run)
        .post("/api/v1/caches/{cache}/invalidations", api::invalidations::start);
    table.changing("cancel").delete("/api/v1/invalidations/{id}", api::invalidations::cancel);
    table
        .changing("redrive_dead_letters")
        .post("/api/v1/caches/{cache}/dead-letters/redrive", api::dead_letters::redrive);
    table
        .changing("drop_dead_letters")
        .post("/api/v1/caches/{cache}/dead-letters/drop", api::dead_letters::forget);
    table
        .changing("cancel_dead_letters")
        .delete("/api/v1/caches/{cache}/dead-letters/job", api::dead_letters::cancel);
}

// The last layer is the first that a request meets.
pub(super) fn with_layers(
    router: Router<AppState>,
    state: &AppState,
    admission: Admission,
) -> Router<AppState> {
    let turns = match &admission {
        Admission::ByProgram(rules) => rules.turns.clone(),
        Admission::ByApplication(_) => AnonymousTurns::default(),
    };
    let console = &state.console;
    let router = router
        .layer(CatchPanicLayer::custom(|_| AppError::internal().into_response()))
        .layer(map_response(tell_errors))
        .layer(from_fn_with_state(console.clone(), guard_functions))
        .layer(from_fn_with_state(state.attention.clone(), note_looks))
        .layer(from_fn_with_state(turns, take_turns));
    let admitted = match admission {
        Admission::ByProgram(rules) => admitted_by_program(router, console, rules),
        Admission::ByApplication(rules) => admitted_by_application(router, console, rules),
    };
    admitted
        .layer(from_fn_with_state(state.files, tell_refusals))
        .layer(map_response(harden))
        .layer(from_fn(compress))
}

fn admitted_by_program(
    router: Router<AppState>,
    console: &Console,
    rules: AccessRules,
) -> Router<AppState> {
    let AccessRules { hosts, proxies, public_url, turns: _ } = rules;
    let identification = Identification::new(console.clone(), proxies, public_url.as_ref());
    router
        .layer(from_fn(admit))
        .layer(csrf(public_url.as_ref()))
        .layer(from_fn_with_state(CrossSite::of_program(console.clone()), explain_cross_site))
        .layer(from_fn_with_state(hosts, check_host))
        .layer(from_fn_with_state(identification, identify))
}

/// The application around the dashboard knows its names.
fn admitted_by_application(
    router: Router<AppState>,
    console: &Console,
    rules: ApplicationRules,
) -> Router<AppState> {
    router
        .layer(from_fn(admit_by_application))
        .layer(csrf(rules.public_url.as_ref()))
        .layer(from_fn_with_state(CrossSite::of_application(console.clone()), explain_cross_site))
        .layer(from_fn_with_state(rules, identify_by_application))
}

#[cfg(test)]
mod tests;
