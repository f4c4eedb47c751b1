use strata_report::{Cause, Outcome};

use crate::charts::Band;
use crate::format::{self, DASH};

/// The bands of outcomes, in the order of [`Outcome::ALL`].
pub(super) const OUTCOMES: [Band; 8] = [
    Band { name: "L1 hit", class: "outcome-l1-hit" },
    Band { name: "L2 hit", class: "outcome-l2-hit" },
    Band { name: "loaded", class: "outcome-loaded" },
    Band { name: "coalesced", class: "outcome-coalesced" },
    Band { name: "stale", class: "outcome-stale" },
    Band { name: "bypassed", class: "outcome-bypassed" },
    Band { name: "missed", class: "outcome-missed" },
    Band { name: "failed", class: "outcome-failed" },
];

/// The bands of removals, in the order of [`Cause::ALL`].
pub(super) const CAUSES: [Band; 5] = [
    Band { name: "expired", class: "eviction-expired" },
    Band { name: "explicit", class: "eviction-explicit" },
    Band { name: "replaced", class: "eviction-replaced" },
    Band { name: "size", class: "eviction-size" },
    Band { name: "refused", class: "eviction-refused" },
];

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
