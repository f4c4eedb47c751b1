use axum::Extension;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use strata_app::{BasePath, LogInPage, SessionCookie, at};
use strata_console::{Actor, LogInError, Origin};

use crate::http::extract::Query;
use crate::http::{AppError, cookie_value};
use crate::pages::document;
use crate::state::AppState;

/// The page to go on to after the log-in.
#[derive(Default, Deserialize)]
pub(crate) struct LogInQuery {
    #[serde(default)]
    to: String,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct LogInForm {
    token: String,
    #[serde(default)]
    to: String,
}

/// Which sessions to end.
#[derive(Default, Deserialize)]
pub(crate) struct LogOutForm {
    #[serde(default)]
    everywhere: bool,
}

/// The page to log in, and to log out again. It works without scripts.
pub(crate) async fn page(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(cookie): Extension<SessionCookie>,
    headers: HeaderMap,
    query: Result<Query<LogInQuery>, AppError>,
) -> Response {
    let to = query.map(|Query(query)| query.to).unwrap_or_default();
    let has_session = cookie_value(&headers, &cookie.name).is_some()
        && actor.rights.look
        && actor.rejected.is_none();
    let page = LogInPage {
        actor: &actor,
        has_session,
        access: state.console.access(),
        failure: None,
        to: &onward_path(&to),
    };
    document(StatusCode::OK, page.draw(state.files))
}

/// Begins a session, and goes on to the page that was asked for.
pub(crate) async fn log_in(
    State(state): State<AppState>,
    Extension(origin): Extension<Origin>,
    Extension(actor): Extension<Actor>,
    Extension(cookie): Extension<SessionCookie>,
    headers: HeaderMap,
    sent: Result<Form<LogInForm>, FormRejection>,
) -> Response {
    let Ok(Form(LogInForm { token, to })) = sent else {
        let page = LogInPage {
            actor: &actor,
            has_session: false,
            access: state.console.access(),
            failure: Some("Strata could not read the form: it has a field named token.".to_owned()),
            to: &at("/"),
        };
        return document(StatusCode::UNPROCESSABLE_ENTITY, page.draw(state.files));
    };
    let to = onward_path(&to);
    let error = match state.console.log_in(&token, &origin) {
        Ok(logged_in) => {
            if let Some(earlier) = cookie_value(&headers, &cookie.name) {
                state.console.log_out(&logged_in.actor, earlier);
            }
            let set = [(header::SET_COOKIE, cookie.with(&logged_in.session))];
            return (set, Redirect::to(&to)).into_response();
        }
        Err(error) => error,
    };
    let page = LogInPage {
        actor: &actor,
        has_session: false,
        access: state.console.access(),
        failure: Some(error.to_string()),
        to: &to,
    };
    let html = page.draw(state.files);
    match error {
        LogInError::TooOften(wait) => {
            let retry = [(header::RETRY_AFTER, (wait.as_secs() + 1).to_string())];
            (retry, document(StatusCode::TOO_MANY_REQUESTS, html)).into_response()
        }
        LogInError::WrongToken | LogInError::NoTokens => document(StatusCode::FORBIDDEN, html),
    }
}

/// Ends the session of this browser, or every session of its token.
pub(crate) async fn log_out(
    State(state): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(cookie): Extension<SessionCookie>,
    headers: HeaderMap,
    ending: Result<Form<LogOutForm>, FormRejection>,
) -> Response {
    let Form(LogOutForm { everywhere }) = ending.unwrap_or_default();
    if let Some(session) = cookie_value(&headers, &cookie.name) {
        match everywhere {
            true => state.console.log_out_everywhere(&actor, session),
            false => state.console.log_out(&actor, session),
        }
    }
    let set = [(header::SET_COOKIE, cookie.emptied())];
    (set, Redirect::to(&at("/login"))).into_response()
}

/// An address of our own; anything else could lead to another site.
fn onward_path(to: &str) -> String {
    let path = to.split(['?', '#']).next().unwrap_or_default();
    let is_ours = to.starts_with('/')
        && !to.starts_with("//")
        && to.chars().all(|c| c.is_ascii_graphic() && c != '\\')
        && !has_dots(path)
        && BasePath::of_request().strip(path).is_some_and(|path| !path.starts_with("/login"));
    if is_ours { to.to_owned() } else { at("/") }
}

/// Whether a part of it leads upwards, or nowhere, as a browser reads it.
fn has_dots(path: &str) -> bool {
    let plain = path.to_ascii_lowercase().replace("%2e", ".");
    plain.split('/').any(|part| part == "." || part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        for to in
            ["/keys?cache=users&key=a%20b", "/", "/lab", "/keys?pattern=/../*", "/caches/a..b"]
        {
            assert_eq!(onward_path(to), to);
        }
        for to in [
            "",
            "//evil.test",
            "/\\evil.test",
            "https://evil.test",
            "/a\nb",
            "/\t/evil.test",
            "/login",
        ] {
            assert_eq!(onward_path(to), "/", "{to:?}");
        }
    }

    #[tokio::test]
    async fn nobody_is_led_out_of_the_dashboard_into_the_program_around_it() {
        let base: BasePath = "/a/b".parse().unwrap();
        base.scope(async {
            for to in ["/a/b", "/a/b?x=1", "/a/b/keys?cache=users"] {
                assert_eq!(onward_path(to), to);
            }
            for to in [
                "/",
                "/keys",
                "/a/bc",
                "//a/b",
                "/a/b/login",
                "/a",
                "",
                "/a/b/../../x",
                "/a/b/%2e%2E/x",
                "/a/b/.%2e",
                "/a/b/./..#x",
            ] {
                assert_eq!(onward_path(to), "/a/b", "{to:?}");
            }
        })
        .await;
    }
}
