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
        Cause::Refused => "L1 was full, and it was turned away as it came; an estimate.",
    }
}

/// What an outcome means.
pub(super) const fn outcome_meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::L1Hit => "The process's own memory had it.",
        Outcome::L2Hit => "Redis had it.",
        Outcome::Loaded => "This read asked the database.",
        Outcome::Coalesced => "This read waited for another read's load. Not a hit.",
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
