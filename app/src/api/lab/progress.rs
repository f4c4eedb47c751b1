use strata_demo::lessons::Lesson;

use crate::api::door;
use crate::api::session::set_cookie;

const COOKIE: &str = "strata_lab";
const FOR_A_YEAR: &str = "HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000";

/// The lessons that this browser has run, in the order of the tour.
pub(crate) fn lessons_done() -> Vec<&'static str> {
    done_in(&door::cookie(COOKIE).unwrap_or_default())
}

/// Notes that this browser has run a lesson.
pub(super) fn remember(slug: &str) {
    let mut done = lessons_done();
    if !done.contains(&slug) {
        done.extend(Lesson::find(slug).map(|lesson| lesson.slug));
        keep(&format!("{COOKIE}={}; {FOR_A_YEAR}", done.join(".")));
    }
}

/// Forgets all of them.
pub(super) fn forget() {
    keep(&format!("{COOKIE}=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0"));
}

fn keep(cookie: &str) {
    // Names of lessons are letters and dashes, which every header can carry.
    let _ = set_cookie(cookie);
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
