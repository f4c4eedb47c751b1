use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{Content, Ref, RefOr, Response, ResponseBuilder};

/// Declares kinds of answers: for each status, the problem types that it may carry.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident { $($status:literal: $kinds:literal,)* })*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                BTreeMap::from([$(($status.to_owned(), problem($kinds)),)*])
            }
        }
    )*};
}

problems! {
    /// Any request may be answered so.
    Anything {
        "400": "bad-query, bad-path",
        "401": "log-in-first",
        "408": "slow-body",
        "413": "body-too-large",
        "421": "wrong-host",
        "429": "too-many-tokens, busy",
        "500": "internal",
        "503": "node-gone, nodes-unheard, too-many-connections, too-slow",
    }
    /// A change may be refused so.
    Change { "403": "refused, protected, cross-site", }
    /// It is about a cache.
    OfCache { "404": "unknown-cache", }
    /// It is about a key.
    OfKey {
        "400": "bad-key, bad-path",
        "404": "unknown-cache",
    }
    /// It is about keys that match a pattern.
    OfPattern {
        "400": "bad-pattern, malformed-json, bad-path",
        "404": "unknown-cache",
        "415": "not-json",
        "422": "wrong-fields",
    }
    /// It searches.
    Search {
        "400": "bad-pattern, bad-limit, bad-cursor, bad-query, bad-path",
        "404": "unknown-cache",
    }
    /// It lists dead letters.
    DeadLetterSearch {
        "400": "bad-pattern, bad-limit, empty-field, bad-query, bad-path",
        "404": "unknown-cache, no-write-behind",
        "503": "node-gone, nodes-unheard, dead-letters-away",
    }
    /// It redrives or drops dead letters.
    OfDeadLetters {
        "400": "bad-pattern, empty-field, node-not-named, malformed-json, bad-path",
        "404": "unknown-cache, no-write-behind",
        "409": "dead-letters-busy",
        "415": "not-json",
        "422": "wrong-fields",
    }
    /// It is about a run over dead letters.
    OfDeadLetterJob { "404": "no-dead-letter-job", }
    /// It marks a key as stale, or loads it anew.
    Softening {
        "400": "bad-key, bad-path",
        "404": "unknown-cache",
        "409": "only-observed, no-source",
        "503": "node-gone, nodes-unheard, source-failed",
    }
    /// It is about a plan.
    OfPlan {
        "400": "malformed-json, bad-path",
        "404": "unknown-plan",
        "409": "stale-plan, not-confirmed",
        "415": "not-json",
        "422": "wrong-fields",
    }
    /// It is about a job.
    OfJob { "404": "unknown-invalidation", }
    /// It reads a part of a list.
    Part { "400": "bad-limit, bad-query", }
    /// It is about the demo's traffic.
    OfTraffic {
        "400": "bad-traffic, malformed-json",
        "415": "not-json",
        "422": "wrong-fields",
    }
}

fn problem(kinds: &str) -> RefOr<Response> {
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    ResponseBuilder::new()
        .description(format!("Problem of type {kinds}, each after urn:strata:problem:"))
        .content("application/problem+json", Content::new(Some(schema)))
        .build()
        .into()
}
