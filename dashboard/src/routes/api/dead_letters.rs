use std::time::{Duration, Instant};

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use strata_app::at;
use strata_console::{Actor, Console, ConsoleError};
use strata_report::{
    DeadLetterAction, DeadLetterJob, DeadLetterPage, DeadLetterQuery, WriteBehindReport,
};

use crate::http::AppError;
use crate::http::extract::{Json, Path, Query};
use crate::http::table::{Format, FormatQuery, encoded, goes_on, table};
use crate::routes::openapi::{DeadLetterSearch, OfDeadLetterJob, OfDeadLetters};

const DEFAULT_LIMIT: u32 = 100;
/// The most rows that the console reads at once, and that a file has.
const MAX_PAGE: u32 = 1_000;
const MAX_ROWS: u32 = 100_000;
/// How long a file may be gathered; the rows beyond are a further file.
const FILE_MAY_TAKE: Duration = Duration::from_secs(10);

/// Which part of the list, and how to write it.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLetterPageQuery {
    /// The most rows, between 1 and 1000; 100 where nothing is said. As CSV up to
    /// 100 000 where nothing is said.
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
    #[serde(default)]
    format: Format,
}

/// Which dead letters to move; all where nothing is said. A field that is not known is refused, so
/// that a slip does not mean all.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// The one with this id.
    id: Option<String>,
    /// Those that this node keeps in memory.
    node: Option<String>,
    /// A glob on the key.
    key: Option<String>,
    /// A part of the reason, in either case.
    reason: Option<String>,
    /// Set aside at this time or later, milliseconds since the epoch.
    from_ms: Option<u64>,
    /// Set aside before this time, milliseconds since the epoch.
    until_ms: Option<u64>,
}

/// The write-behind of each cache that has one, its nodes added up.
#[utoipa::path(get, path = "/api/v1/write-behinds", params(FormatQuery), responses((status = 200, description = "The write-behinds.", content((Vec<WriteBehindReport> = "application/json"), (String = "text/csv")))))]
pub(crate) async fn write_behinds(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Query(written): Query<FormatQuery>,
) -> Result<Response, AppError> {
    let mut writes = console.write_behinds();
    writes.iter_mut().for_each(|writes| actor.cover(writes));
    Ok(table(written.format, "write-behinds", &writes, || axum::Json(&writes)))
}

/// One page of the dead letters of a cache that match, oldest first.
#[utoipa::path(get, path = "/api/v1/caches/{cache}/dead-letters", params(("cache" = String, Path, description = "The cache's name"), DeadLetterQuery, DeadLetterPageQuery), responses((status = 200, description = "One page of dead letters.", content((DeadLetterPage = "application/json"), (String = "text/csv"))), DeadLetterSearch))]
pub(crate) async fn list(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
    Query(query): Query<DeadLetterQuery>,
    Query(wanted): Query<DeadLetterPageQuery>,
) -> Result<Response, AppError> {
    let DeadLetterPageQuery { limit, cursor, format } = wanted;
    let asked =
        DeadLetterRequest { console: &console, actor: &actor, cache: &cache, query: &query };
    let page = match format {
        Format::Json => asked.page(cursor.as_deref(), limit.unwrap_or(DEFAULT_LIMIT)).await?,
        Format::Csv => asked.file(cursor, limit).await?,
    };
    let next = page.next.as_deref().map(|cursor| next((&cache, &query), cursor, (limit, format)));
    let answer = table(format, "dead-letters", &page.rows, || axum::Json(&page));
    Ok(goes_on(answer, "dead-letters", next))
}

/// Whose dead letters, which, and for whom.
struct DeadLetterRequest<'a> {
    console: &'a Console,
    actor: &'a Actor,
    cache: &'a str,
    query: &'a DeadLetterQuery,
}

impl DeadLetterRequest<'_> {
    async fn page(&self, after: Option<&str>, limit: u32) -> Result<DeadLetterPage, ConsoleError> {
        self.console.dead_letters(self.actor, (self.cache, self.query), (after, limit)).await
    }

    /// As many pages as fit into a file, and as can be read in time.
    async fn file(
        &self,
        cursor: Option<String>,
        limit: Option<u32>,
    ) -> Result<DeadLetterPage, ConsoleError> {
        let deadline = Instant::now() + FILE_MAY_TAKE;
        let first = self.page(cursor.as_deref(), limit.unwrap_or(MAX_PAGE)).await?;
        let most = limit.unwrap_or(MAX_ROWS) as usize;
        let read = |after: String, room| async move { self.page(Some(&after), room).await };
        Ok(gather(first, most, deadline, read).await)
    }
}

/// Adds pages to the first one. Where one cannot be read, the rows before it are the file, and
/// `next` tells where to go on.
async fn gather<Read: Future<Output = Result<DeadLetterPage, ConsoleError>>>(
    mut page: DeadLetterPage,
    most: usize,
    deadline: Instant,
    read: impl Fn(String, u32) -> Read,
) -> DeadLetterPage {
    while page.rows.len() < most && Instant::now() < deadline {
        let Some(after) = page.next.clone() else { break };
        let room = u32::try_from(most - page.rows.len()).unwrap_or(MAX_PAGE);
        let Ok(more) = read(after, room.min(MAX_PAGE)).await else { break };
        page.rows.extend(more.rows);
        page.next = more.next;
    }
    page
}

fn next(
    (cache, query): (&str, &DeadLetterQuery),
    cursor: &str,
    (limit, format): (Option<u32>, Format),
) -> String {
    let DeadLetterQuery { id, node, key, reason, from_ms, until_ms } = query;
    let mut next = at(&format!("/api/v1/caches/{}/dead-letters?", encoded(cache)));
    let texts = [("id", id), ("node", node), ("key", key), ("reason", reason)];
    let numbers = [("from_ms", *from_ms), ("until_ms", *until_ms), ("limit", limit.map(u64::from))];
    let texts = texts.map(|(name, text)| (name, text.as_deref().map(encoded)));
    let numbers = numbers.map(|(name, number)| (name, number.map(|number| number.to_string())));
    for (name, value) in texts.into_iter().chain(numbers).chain([("cursor", Some(encoded(cursor)))])
    {
        if let Some(value) = value {
            next += &format!("{name}={value}&");
        }
    }
    next + "format=" + format.as_str()
}

/// Queues the dead letters that match again, all where nothing is said. 202 where it goes on: the
/// job tells how far it is.
#[utoipa::path(post, path = "/api/v1/caches/{cache}/dead-letters/redrive", params(("cache" = String, Path, description = "The cache's name")), request_body = Which, responses((status = 200, description = "How it ended.", body = DeadLetterJob), (status = 202, description = "It goes on.", body = DeadLetterJob), OfDeadLetters))]
pub(crate) async fn redrive(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
    Json(which): Json<Which>,
) -> Result<Response, AppError> {
    run(&console, &actor, DeadLetterAction::Redrive, (&cache, which)).await
}

/// Forgets the dead letters that match, all where nothing is said: these writes are lost. 202 where
/// it goes on: the job tells how far it is.
#[utoipa::path(post, path = "/api/v1/caches/{cache}/dead-letters/drop", params(("cache" = String, Path, description = "The cache's name")), request_body = Which, responses((status = 200, description = "How it ended.", body = DeadLetterJob), (status = 202, description = "It goes on.", body = DeadLetterJob), OfDeadLetters))]
pub(crate) async fn forget(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
    Json(which): Json<Which>,
) -> Result<Response, AppError> {
    run(&console, &actor, DeadLetterAction::Drop, (&cache, which)).await
}

/// The newest redrive or drop of a cache's dead letters.
#[utoipa::path(get, path = "/api/v1/caches/{cache}/dead-letters/job", params(("cache" = String, Path, description = "The cache's name")), responses((status = 200, description = "How far it is, or how it ended.", body = DeadLetterJob), OfDeadLetterJob))]
pub(crate) async fn job(
    State(console): State<Console>,
    Path(cache): Path<String>,
) -> Result<axum::Json<DeadLetterJob>, AppError> {
    let job = console.dead_letter_job(&cache);
    job.map(axum::Json).ok_or_else(|| ConsoleError::NoDeadLetterJob(cache).into())
}

/// Stops the redrive or the drop that runs after its current step; what it did stays done.
#[utoipa::path(delete, path = "/api/v1/caches/{cache}/dead-letters/job", params(("cache" = String, Path, description = "The cache's name")), responses((status = 200, description = "How far it is, or how it ended.", body = DeadLetterJob), OfDeadLetterJob))]
pub(crate) async fn cancel(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path(cache): Path<String>,
) -> Result<axum::Json<DeadLetterJob>, AppError> {
    Ok(axum::Json(console.cancel_dead_letter_job(&actor, &cache)?))
}

async fn run(
    console: &Console,
    actor: &Actor,
    action: DeadLetterAction,
    (cache, which): (&str, Which),
) -> Result<Response, AppError> {
    let Which { id, node, key, reason, from_ms, until_ms } = which;
    let query = DeadLetterQuery { id, node, key, reason, from_ms, until_ms };
    let job = console.move_dead_letters(actor, action, (cache, &query)).await?;
    let status = if job.ended_at_ms.is_some() { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, axum::Json(job)).into_response())
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    #[test]
    fn a_list_goes_on_with_what_was_asked_for() {
        let key = Some("a/b&*".to_owned());
        let query = DeadLetterQuery { key, until_ms: Some(5), ..DeadLetterQuery::default() };
        assert_eq!(
            next(("users", &query), "7-0", (Some(10), Format::Csv)),
            "/api/v1/caches/users/dead-letters?\
             key=a%2Fb%26%2A&until_ms=5&limit=10&cursor=7%2D0&format=csv",
        );
        let all = next(("users", &DeadLetterQuery::default()), "7", (None, Format::Json));
        assert_eq!(all, "/api/v1/caches/users/dead-letters?cursor=7&format=json");
    }

    #[tokio::test]
    async fn a_page_that_cannot_be_read_ends_the_file_and_loses_none_of_its_rows() {
        let page = |n_rows: usize, next: &str| DeadLetterPage {
            rows: vec![Default::default(); n_rows],
            next: Some(next.to_owned()),
            ..DeadLetterPage::default()
        };
        let busy = || ConsoleError::Busy { what: "searches and plans", how: "are under way" };
        let read = |after: String, _| {
            ready(match after.as_str() {
                "1" => Ok(page(2, "2")),
                _ => Err(busy()),
            })
        };
        let deadline = Instant::now() + FILE_MAY_TAKE;
        let file = gather(page(2, "1"), 100, deadline, read).await;
        assert_eq!((file.rows.len(), file.next.as_deref()), (4, Some("2")));
    }
}
