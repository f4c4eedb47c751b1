use leptos::prelude::*;
use strata_report::Session;

use super::ApiError;

/// The visitor, and whether they may act.
#[server(name = CurrentSession, prefix = "/api", endpoint = "strata/session")]
pub async fn session() -> Result<Session, ApiError> {
    use super::context;

    Ok(context::console()?.session(&context::actor()?))
}

/// Takes a token and begins a session, whose id goes into a cookie that scripts cannot read.
#[server(name = LogIn, prefix = "/api", endpoint = "strata/log_in")]
pub async fn log_in(token: String) -> Result<Session, ApiError> {
    use strata_console::LogInError;

    use super::context;

    let (console, cookie) = (context::console()?, context::session_cookie()?);
    match console.log_in(&token, &context::origin()) {
        Ok(logged_in) => {
            // A new log-in ends the session before it.
            if let Some(earlier) = context::cookie(&cookie.name) {
                console.log_out(&logged_in.actor, &earlier);
            }
            set_cookie(&cookie.with(&logged_in.session))?;
            Ok(console.session(&logged_in.actor))
        }
        Err(error) => {
            context::set_status(match error {
                LogInError::TooOften(_) => axum::http::StatusCode::TOO_MANY_REQUESTS,
                _ => axum::http::StatusCode::FORBIDDEN,
            });
            Err(ApiError::Refused(error.to_string()))
        }
    }
}

/// Ends the session.
#[server(name = LogOut, prefix = "/api", endpoint = "strata/log_out")]
pub async fn log_out() -> Result<Session, ApiError> {
    use strata_console::Credentials;

    use super::context;

    let (console, cookie) = (context::console()?, context::session_cookie()?);
    if let Some(session) = context::cookie(&cookie.name) {
        console.log_out(&context::actor()?, &session);
    }
    set_cookie(&cookie.emptied())?;
    Ok(console.session(&console.access().identify(Credentials::default(), &context::origin())))
}

/// The cookie that carries the id of a session, as this browser should keep it.
#[cfg(feature = "ssr")]
#[derive(Clone, Debug)]
pub struct SessionCookie {
    /// Cookies know no ports, so its name holds the one that the browser asked.
    pub name: String,
    /// Whether it is sent over TLS alone.
    pub secure: bool,
}

#[cfg(feature = "ssr")]
impl SessionCookie {
    /// What sets it.
    pub fn with(&self, session: &str) -> String {
        format!("{}={session}; {}", self.name, self.attributes())
    }

    /// What removes it.
    pub fn emptied(&self) -> String {
        format!("{}=; {}; Max-Age=0", self.name, self.attributes())
    }

    fn attributes(&self) -> String {
        let secure = if self.secure { "; Secure" } else { "" };
        let path = crate::base_path::BasePath::of_request();
        format!("HttpOnly; SameSite=Strict; Path={}{secure}", path.of_cookies())
    }
}

/// Asks the browser to keep a cookie.
#[cfg(feature = "ssr")]
pub(super) fn set_cookie(text: &str) -> Result<(), ApiError> {
    use axum::http::HeaderValue;
    use axum::http::header::SET_COOKIE;

    let value = HeaderValue::from_str(text)
        .map_err(|_| ApiError::Invalid("carry this session in a cookie".to_owned()))?;
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.append_header(SET_COOKIE, value);
    }
    Ok(())
}
