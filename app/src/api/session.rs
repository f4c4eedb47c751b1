use leptos::prelude::*;
use strata_report::Session;

use super::ApiError;

/// The cookie that carries the operator's token.
#[cfg(feature = "ssr")]
const COOKIE: &str = "strata_operator";

/// Who looks, and whether they may act.
#[server(name = CurrentSession, prefix = "/api", endpoint = "strata/session")]
pub async fn session() -> Result<Session, ApiError> {
    use super::door;

    Ok(door::console()?.session(&door::actor()?))
}

/// Takes the operator's token and keeps it in a cookie that scripts cannot read.
#[server(name = LogIn, prefix = "/api", endpoint = "strata/log_in")]
pub async fn log_in(token: String) -> Result<Session, ApiError> {
    use axum::http::StatusCode;

    use super::door;

    let console = door::console()?;
    if !console.access().accepts(&token) {
        door::set_status(StatusCode::FORBIDDEN);
        return Err(ApiError::Refused(
            "This is not the operator's token. It is the one that Strata was started with."
                .to_owned(),
        ));
    }
    set_cookie(&format!("{COOKIE}={token}; HttpOnly; SameSite=Strict; Path=/"))?;
    Ok(console.session(&console.access().actor(Some(&token))))
}

/// Forgets the token.
#[server(name = LogOut, prefix = "/api", endpoint = "strata/log_out")]
pub async fn log_out() -> Result<Session, ApiError> {
    use super::door;

    let console = door::console()?;
    set_cookie(&format!("{COOKIE}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"))?;
    Ok(console.session(&console.access().actor(None)))
}

/// Asks the browser to keep a cookie.
#[cfg(feature = "ssr")]
pub(super) fn set_cookie(text: &str) -> Result<(), ApiError> {
    use axum::http::HeaderValue;
    use axum::http::header::SET_COOKIE;

    let value = HeaderValue::from_str(text)
        .map_err(|_| ApiError::Invalid("carry this token in a cookie".to_owned()))?;
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.append_header(SET_COOKIE, value);
    }
    Ok(())
}
