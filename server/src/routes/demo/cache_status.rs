use axum::http::HeaderName;
use strata_demo::{ReadNote, WriteNote};
use strata_report::Outcome;

pub(super) const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");

// A header of some kilobytes is refused by many clients.
const MAX_READS: usize = 16;

/// How the levels answered, as RFC 9211 has it: the level nearest to the source comes first.
/// An answer without a read is a write's, or a refusal of which no more is known.
pub(super) fn cache_status(reads: &[ReadNote], writes: &[WriteNote]) -> String {
    match (reads, writes) {
        ([], []) => "strata".to_owned(),
        ([], _) => "strata; fwd=method".to_owned(),
        (reads, _) => status_of(reads),
    }
}

fn status_of(reads: &[ReadNote]) -> String {
    let mut members: Vec<String> = reads.iter().take(MAX_READS).map(members_of).collect();
    if let Some(left_out @ 1..) = reads.len().checked_sub(MAX_READS) {
        members.push(format!("strata; detail=\"{left_out} more keys\""));
    }
    members.join(", ")
}

fn members_of(read: &ReadNote) -> String {
    let key = quoted(&format!("{}:{}", read.cache, read.key));
    let ttl = read.expires_in.map(|left| format!("; ttl={}", left.as_secs())).unwrap_or_default();
    let forwarded = |why: &str| format!("strata-l2; fwd={why}, strata-l1; fwd={why}; key={key}");
    // Nothing is kept of what an invalidation has overtaken. Of L2 a reader does not know whether
    // it took the entry, so nothing is said.
    let is_kept = read.expires_in.is_none_or(|left| !left.is_zero());
    let stored = if is_kept { format!("; stored{ttl}") } else { String::new() };
    match read.outcome {
        Outcome::L1Hit => format!("strata-l1; hit{ttl}; key={key}"),
        Outcome::Stale => format!("strata-l1; hit{ttl}; key={key}; detail=stale"),
        Outcome::L2Hit => format!("strata-l2; hit, strata-l1; fwd=uri-miss{stored}; key={key}"),
        Outcome::Loaded => {
            format!("strata-l2; fwd=uri-miss, strata-l1; fwd=uri-miss{stored}; key={key}")
        }
        Outcome::Coalesced => format!("strata-l1; fwd=uri-miss; collapsed{ttl}; key={key}"),
        Outcome::Bypassed => forwarded("request"),
        Outcome::Missed => forwarded("uri-miss"),
        Outcome::Failed => format!("{}; detail=failed", forwarded("uri-miss")),
    }
}

/// A structured-field string, which has printable ASCII only.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            _ => out.push('?'),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(outcome: Outcome) -> ReadNote {
        ReadNote {
            cache: "users",
            key: "17".into(),
            outcome,
            age: Duration::from_secs(1),
            expires_in: Some(Duration::from_millis(29_500)),
            took: Duration::from_micros(12),
        }
    }

    #[test]
    fn a_hit_names_its_level_its_key_and_the_time_left() {
        let status = status_of(&[read(Outcome::L1Hit)]);
        assert_eq!(status, r#"strata-l1; hit; ttl=29; key="users:17""#);
    }

    #[test]
    fn the_level_nearest_to_the_source_comes_first() {
        let status = status_of(&[read(Outcome::L2Hit)]);
        assert!(status.starts_with("strata-l2; hit, strata-l1; fwd=uri-miss; stored"), "{status}");
    }

    #[test]
    fn stored_is_said_only_where_something_was() {
        for outcome in [Outcome::L2Hit, Outcome::Loaded] {
            assert_eq!(status_of(&[read(outcome)]).matches("stored").count(), 1, "{outcome:?}");
            let overtaken = ReadNote { expires_in: Some(Duration::ZERO), ..read(outcome) };
            let status = status_of(&[overtaken]);
            assert!(!status.contains("stored") && !status.contains("ttl"), "{status}");
        }
        for outcome in [Outcome::Bypassed, Outcome::Missed, Outcome::Failed, Outcome::Coalesced] {
            assert!(!status_of(&[read(outcome)]).contains("stored"), "{outcome:?}");
        }
    }

    #[test]
    fn a_reader_who_waited_for_another_is_collapsed() {
        assert!(status_of(&[read(Outcome::Coalesced)]).contains("; collapsed"));
    }

    #[test]
    fn going_around_the_cache_was_the_requests_wish() {
        assert!(status_of(&[read(Outcome::Bypassed)]).contains("fwd=request"));
    }

    #[test]
    fn a_long_batch_says_how_much_it_leaves_out() {
        let reads = vec![read(Outcome::L1Hit); MAX_READS + 4];
        assert!(status_of(&reads).ends_with("strata; detail=\"4 more keys\""));
        let reads = vec![read(Outcome::L1Hit); MAX_READS];
        assert!(!status_of(&reads).contains("more keys"));
    }

    #[test]
    fn a_key_cannot_break_out_of_its_quotes() {
        assert_eq!(quoted("a\"b\\c\nü"), r#""a\"b\\c??""#);
    }
}
