use std::time::{Duration, SystemTime, UNIX_EPOCH};

use leptos::prelude::*;
use strata_report::{Cause, L2Report, Outcome};

pub(super) use crate::cards::{CAUSES, OUTCOMES};
use crate::format::{self, DASH};

/// What a cause means.
pub(super) const fn cause_meaning(cause: Cause) -> &'static str {
    match cause {
        Cause::Expired => "Its time to live or to idle ran out.",
        Cause::Explicit => "It was invalidated.",
        Cause::Replaced => "A newer value took its place.",
        Cause::Size => "L1 was full, and it was read too seldom to stay.",
        Cause::Other => "The node knows a cause that this version does not.",
        Cause::Refused => "L1 was full, and it was not admitted as it came; an estimate.",
    }
}

/// What a cause is called.
pub(super) fn cause(cause: Cause) -> &'static str {
    Cause::ALL.into_iter().zip(CAUSES).find(|(one, _)| *one == cause).map_or("", |(_, b)| b.name)
}

/// What an outcome means.
pub(super) const fn outcome_meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::L1Hit => "The process's own memory had it.",
        Outcome::L2Hit => "Redis had it.",
        Outcome::Loaded => "This read asked the database.",
        Outcome::Coalesced => "This read waited for a running load. Not a hit.",
        Outcome::Stale => "An older value, served on purpose.",
        Outcome::Bypassed => "The caller went around the cache.",
        Outcome::Missed => "Nothing was cached, and the caller brought no load.",
        Outcome::Failed => "The database failed, and nothing could stand in.",
    }
}

/// How the way to Redis stands.
pub(super) const fn breaker(l2: &L2Report) -> &'static str {
    match (l2.configured, l2.breaker_open) {
        (false, _) => "no L2",
        (true, true) => "open",
        (true, false) => "closed",
    }
}

/// A key, a pattern, a tag or a name with what is invisible or turns the line round written out.
pub(super) fn visible(text: &str) -> String {
    strata_report::visible(text).into_owned()
}

/// The name of somebody who acted. Without a token it is somebody on this machine.
pub(super) fn who(actor: &str) -> String {
    if actor == "local" { "local user".to_owned() } else { visible(actor) }
}

/// A count that may be unknown.
pub(super) fn count(n: Option<u64>) -> String {
    n.map_or(DASH.to_owned(), format::count)
}

/// A size that may be unknown.
pub(super) fn bytes(n: Option<u64>) -> String {
    n.map_or(DASH.to_owned(), format::bytes)
}

/// A size that is an estimate and may be unknown.
pub(super) fn about_bytes(n: Option<u64>) -> String {
    n.map_or(DASH.to_owned(), |n| format!("~{}", format::bytes(n)))
}

/// A span that may be unknown.
pub(super) fn span(ms: Option<u64>) -> String {
    ms.map_or(DASH.to_owned(), format::span)
}

/// A part of a whole; `None` without a whole.
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// A moment in UTC, with its date where it was not today; readable by machines too, and in local
/// time where somebody points at it. Of a list the first one is reached by Tab, the others by
/// arrows from there.
pub(super) fn when(at_ms: u64, nth: usize) -> AnyView {
    time(at_ms, moment(at_ms, SystemTime::now()), nth)
}

/// A moment in UTC with its date, whatever day it was; else as [`when`].
pub(super) fn dated(at_ms: u64, nth: usize) -> AnyView {
    let iso = iso(at_ms);
    let text = format!("{} {}", iso.split('T').next().unwrap_or_default(), format::clock(at_ms));
    time(at_ms, text, nth)
}

fn time(at_ms: u64, text: String, nth: usize) -> AnyView {
    view! { <time datetime=iso(at_ms) tabindex=tab_stop(nth)>{text}</time> }.into_any()
}

/// The `tabindex` of one of several times or hints: Tab reaches the first, arrows the others.
pub(super) const fn tab_stop(nth: usize) -> &'static str {
    if nth == 0 { "0" } else { "-1" }
}

/// A moment of [`when`] as text alone.
pub(super) fn at(at_ms: u64) -> String {
    moment(at_ms, SystemTime::now())
}

fn moment(at_ms: u64, now: SystemTime) -> String {
    let now_ms = now.duration_since(UNIX_EPOCH).map_or(0, |now| now.as_millis());
    let iso = iso(at_ms);
    match iso.split_once('T') {
        Some((day, _)) if u128::from(at_ms / DAY_MS) != now_ms / u128::from(DAY_MS) => {
            format!("{day} {}", format::clock(at_ms))
        }
        _ => format::clock(at_ms),
    }
}

/// A day, milliseconds.
pub(super) const DAY_MS: u64 = 86_400_000;
// The last second of the year 9999, beyond which no date has four digits.
const LAST_MS: u64 = 253_402_300_799_000;

/// A moment as machines read it, in UTC.
pub(super) fn iso(at_ms: u64) -> String {
    let at = UNIX_EPOCH + Duration::from_millis(at_ms.min(LAST_MS));
    humantime::format_rfc3339_seconds(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_another_day_has_its_date() {
        let now_ms = 1_700_000_000_000;
        let now = UNIX_EPOCH + Duration::from_millis(now_ms);
        assert_eq!(moment(now_ms - 60_000, now), "22:12:20");
        assert_eq!(moment(now_ms - DAY_MS, now), "2023-11-13 22:13:20");
        assert_eq!(moment(u64::MAX, now).len(), 19, "nonsense is a date all the same");
    }

    #[test]
    fn machines_read_the_same_moment() {
        let html = Owner::new().with(|| when(1_700_000_000_000, 0).to_html());
        assert!(html.contains("datetime=\"2023-11-14T22:13:20Z\""), "{html}");
        assert!(html.contains("tabindex=\"0\""), "{html}");
        let second = Owner::new().with(|| dated(1_700_000_000_000, 1).to_html());
        assert!(second.contains("tabindex=\"-1\"") && second.contains(">2023-11-14 22:13:20<"));
    }
}
