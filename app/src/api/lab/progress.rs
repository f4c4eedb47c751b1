use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use strata_lab::Lesson;

use crate::api::context;
use crate::api::session::set_cookie;
use crate::base_path::BasePath;

const COOKIE: &str = "strata_lab";
const A_YEAR_S: u32 = 31_536_000;

/// The lessons that this browser has run, in the order of the tour.
pub(crate) fn lessons_done() -> Vec<&'static str> {
    done_in(&context::cookie(COOKIE).unwrap_or_default())
}

/// What a browser has learned, and how it is told to remember more. Made before the first wait,
/// since the context is gone after it.
pub(crate) struct LessonProgress {
    done: Vec<&'static str>,
    response: Option<ResponseOptions>,
}

impl LessonProgress {
    /// Of the browser that asks.
    pub(crate) fn of_browser() -> Self {
        Self { done: lessons_done(), response: use_context() }
    }

    /// Lets the browser remember a lesson that it has gone through.
    pub(crate) fn add(mut self, learned: Option<&'static str>) {
        let Some(slug) = learned.filter(|slug| !self.done.contains(slug)) else { return };
        self.done.push(slug);
        let cookie = cookie(&self.done.join("."), A_YEAR_S);
        // Names of lessons are letters and dashes, which every header can carry.
        if let (Some(response), Ok(cookie)) = (self.response, HeaderValue::try_from(cookie)) {
            response.append_header(SET_COOKIE, cookie);
        }
    }
}

/// Forgets all of them.
pub(super) fn forget() {
    // A cookie of our own words is one that every header can carry.
    let _ = set_cookie(&cookie("", 0));
}

fn cookie(value: &str, max_age_s: u32) -> String {
    let path = BasePath::of_request();
    let path = path.of_cookies();
    format!("{COOKIE}={value}; HttpOnly; SameSite=Lax; Path={path}; Max-Age={max_age_s}")
}

fn done_in(cookie: &str) -> Vec<&'static str> {
    let names = || cookie.split('.');
    Lesson::ALL
        .iter()
        .map(|lesson| lesson.slug)
        .filter(|slug| names().any(|n| n == *slug))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_lesson_is_not_remembered() {
        assert_eq!(done_in("stampede.no-cache.<b>"), ["no-cache", "stampede"]);
        assert!(done_in("").is_empty());
    }
}
