use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use strata_console::Actor;
use strata_demo::{Caller, Ctx, DemoError, Freshness, Site};
use strata_report::Role;

use super::DemoState;
use strata_dashboard::program::AppError;

/// Names the node that is to answer; without it nodes take turns.
pub(super) const NODE_HEADER: &str = "x-strata-node";
/// Names who asks the demo service: `guest`, `user:17` or `admin`.
pub(super) const CALLER_HEADER: &str = "x-strata-caller";

// As the audit trail names it.
const ACTION: &str = "write_demo";

/// One request to the demo service: who asks, which copy answers, and since when.
pub(crate) struct DemoRequest {
    pub(super) site: Site,
    pub(super) ctx: Ctx,
    pub(super) started: Instant,
    state: DemoState,
    actor: Actor,
    /// As the audit trail names it.
    target: String,
}

impl DemoRequest {
    /// Makes a change where this program may be changed at all, and returns once the other nodes
    /// have heard of it, so that the next request reads it whichever node answers.
    pub(super) async fn write<T>(
        &self,
        change: impl Future<Output = Result<T, DemoError>>,
    ) -> Result<Result<T, DemoError>, AppError> {
        self.state.console.authorise(&self.actor, ACTION, &self.target)?;
        let changed = change.await;
        let result = match &changed {
            Ok(_) => "Done.".to_owned(),
            Err(error) => format!("Failed: {error}."),
        };
        self.state.console.record(&self.actor, ACTION, &self.target, &result);
        self.state.sites.settle(&self.site).await;
        Ok(changed)
    }
}

impl FromRequestParts<DemoState> for DemoRequest {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &DemoState) -> Result<Self, AppError> {
        let started = Instant::now();
        let actor = parts.extensions.get::<Actor>().cloned();
        let actor = actor.unwrap_or_else(Actor::nobody);
        let ctx = Ctx { actor: caller(parts, &actor)?, freshness: freshness(parts) };
        let site = site(parts, state)?;
        let (state, target) = (state.clone(), format!("{} {}", parts.method, parts.uri.path()));
        Ok(Self { site, ctx, started, state, actor, target })
    }
}

fn site(parts: &Parts, state: &DemoState) -> Result<Site, AppError> {
    let Some(node) = text(parts, NODE_HEADER) else {
        return Ok(state.sites.next().clone());
    };
    state.sites.named(node).cloned().ok_or_else(|| {
        let ids: Vec<_> = state.sites.ids().collect();
        let detail = format!("There is no such node; the nodes are {}.", ids.join(", "));
        AppError::bad_request("unknown-node", detail)
    })
}

// Who may operate the program may do everything in its demo, unless a caller is named.
fn caller(parts: &Parts, actor: &Actor) -> Result<Caller, AppError> {
    let is_operator = actor.role == Role::Operator;
    let Some(named) = text(parts, CALLER_HEADER) else {
        return Ok(if is_operator { Caller::Admin } else { Caller::Guest });
    };
    match named.parse() {
        Ok(Caller::Admin) if !is_operator => {
            Err(AppError::forbidden("not-an-operator", "Only an operator may ask as admin."))
        }
        Ok(caller) => Ok(caller),
        Err(error) => {
            Err(AppError::bad_request("bad-caller", format!("Strata failed to {error}.")))
        }
    }
}

fn freshness(parts: &Parts) -> Freshness {
    parts
        .headers
        .get(header::CACHE_CONTROL)
        .and_then(|value| value.to_str().ok())
        .map_or(Freshness::Cached, Freshness::from_cache_control)
}

// A header that is no text names nothing that exists.
fn text<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    parts.headers.get(name).map(|value| value.to_str().unwrap_or_default())
}
