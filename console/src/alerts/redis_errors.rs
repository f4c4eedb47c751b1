//! What Redis refuses or does not answer, and what to do about it.

use strata_report::{Alert, L2Error, L2Report, NodeReport, Severity};

use super::view::{View, alert, duration};

/// An error is the matter at the moment when it came within this time.
const RECENT_MS: u64 = 60_000;

/// The error that is the matter with a node's way to Redis as of `at_ms`.
pub(super) fn recent(l2: &L2Report, at_ms: u64) -> Option<&L2Error> {
    let error = l2.last_error.as_ref();
    error.filter(|error| at_ms.abs_diff(error.at_ms) < RECENT_MS)
}

/// What Redis said, since when and how often, as the rest of a sentence.
pub(super) fn said(error: &L2Error, at_ms: u64) -> String {
    let since = duration(at_ms.saturating_sub(error.since_ms));
    let times = if error.times == 1 { "once".to_owned() } else { format!("{} times", error.times) };
    let message = beginning(&error.message);
    match message.is_empty() {
        true => format!("{}, {times} within {since}", error.code),
        false => format!("{message} ({}, {times} within {since})", error.code),
    }
}

/// The beginning of a text that comes from outside, to stand inside of a sentence.
pub(super) fn beginning(text: &str) -> String {
    let text = text.trim().trim_end_matches('.');
    let shown: String = text.chars().take(200).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}

/// What an error of Redis means, and what to do about it.
pub(super) fn advice(code: &str) -> (&'static str, &'static str) {
    match code {
        "WRONGPASS" | "NOAUTH" => (
            "Redis does not let the node in.",
            "Check the user name and the password in the node's address of Redis.",
        ),
        "NOPERM" => (
            "Redis lets the node in and forbids some of its commands.",
            "Give its user the rights that it needs: README.md of strata-cache has the ACL line.",
        ),
        "OOM" => (
            "Its memory is full: it takes no new entries. Reads and invalidations go on.",
            "Give Redis more memory, or let it evict entries of caches: a maxmemory-policy of volatile-lfu or volatile-lru.",
        ),
        "READONLY" => (
            "The server is a replica: what is written has to go to its master.",
            "Check the address: it must lead to the master, also after a failover.",
        ),
        "MISCONF" => (
            "Redis cannot save to its disk, and takes no writes until it can.",
            "Look at Redis's disk and log; stop-writes-on-bgsave-error says whether it refuses writes meanwhile.",
        ),
        "NOREPLICAS" => (
            "Redis has fewer replicas than it needs, and takes no writes.",
            "Look at its replicas, and at min-replicas-to-write.",
        ),
        "LOADING" => (
            "Redis has started and still reads its data from disk.",
            "Wait: the node uses it again as soon as it has.",
        ),
        "MASTERDOWN" => (
            "The server is a replica that has lost its master.",
            "Wait for the failover, and see whether the master runs.",
        ),
        "CLUSTERDOWN" => (
            "The cluster does not serve: slots have no master.",
            "Wait for the failover, and see which of the cluster's nodes are away.",
        ),
        "MOVED" | "ASK" | "CROSSSLOT" | "CLUSTER" => (
            "The server is a node of a cluster and the namespace lies on another one, or it is no cluster.",
            "Give a cluster's address as redis+cluster://, and any other as redis://.",
        ),
        "TLS" => (
            "No encrypted connection can be made.",
            "See the message: a certificate, a file of certificates, or a port that does not speak TLS.",
        ),
        "LOGIN" => (
            "The node has no user and password to log in with.",
            "See the message: the file of the password, or the function that gives it.",
        ),
        "SENTINEL" => (
            "The Sentinels do not say where Redis is.",
            "See the message: the Sentinels must run, and know the master by the name in the address.",
        ),
        "TIMEOUT" => (
            "Redis did not answer in time.",
            "See whether Redis is busy (its page lists slow commands), or the way to it is slow.",
        ),
        "CONNECTION" => (
            "The node has no connection to Redis.",
            "See whether Redis runs and can be reached from the node's machine, and whether it has room for one more client (maxclients).",
        ),
        "TOOOLD" => (
            "The server lacks what the caches need.",
            "Upgrade it to Redis 7.0 or newer, or to Valkey.",
        ),
        "BUSY" | "TRYAGAIN" => (
            "Redis is busy with one command or script, and answers no other command until it has ended.",
            "Wait. If it is a script that does not end: SCRIPT KILL.",
        ),
        _ => (
            "Redis is there and refuses what the node asks.",
            "Look at what Redis says, and at its log.",
        ),
    }
}

/// A node goes without L2.
pub(super) fn breaker_open(view: &View<'_>) -> Vec<Alert> {
    let open = view.nodes.iter().copied().filter(|node| node.l2.configured && node.l2.breaker_open);
    open.map(breaker_alert).collect()
}

fn breaker_alert(node: &NodeReport) -> Alert {
    let error = recent(&node.l2, node.at_ms);
    let (means, what_to_do) = error.map_or(
        (
            "",
            "See whether Redis runs and answers from this machine; the node tries again by itself.",
        ),
        |error| advice(&error.code),
    );
    let because = error.map_or_else(String::new, |error| format!(": {}", said(error, node.at_ms)));
    let why = "Reads that L1 cannot answer go straight to the source, and invalidations wait.";
    Alert {
        node: node.node.clone(),
        why: format!("{means} {why}").trim_start().to_owned(),
        what_to_do: what_to_do.to_owned(),
        ..alert(
            "breaker_open",
            Severity::Critical,
            format!("Node {} does without Redis, and so without L2{because}.", node.node),
        )
    }
}

/// Redis answers a node, and refuses what it asks.
pub(super) fn redis_refuses(view: &View<'_>) -> Vec<Alert> {
    let reached =
        view.nodes.iter().copied().filter(|node| node.l2.configured && !node.l2.breaker_open);
    reached.filter_map(refusal_alert).collect()
}

fn refusal_alert(node: &NodeReport) -> Option<Alert> {
    let error = recent(&node.l2, node.at_ms)?;
    let severity = match error.code.as_str() {
        // One slow or lost answer is no refusal; many open the breaker.
        "TIMEOUT" | "CONNECTION" => return None,
        // No invalidation goes through either, or nothing at all does.
        "NOAUTH" | "WRONGPASS" | "NOPERM" | "READONLY" | "MISCONF" | "NOREPLICAS" => {
            Severity::Critical
        }
        _ => Severity::Warning,
    };
    let (why, what_to_do) = advice(&error.code);
    let what = format!("Redis refuses what node {} asks: {}.", node.node, said(error, node.at_ms));
    Some(Alert {
        node: node.node.clone(),
        why: why.to_owned(),
        what_to_do: what_to_do.to_owned(),
        ..alert("redis_refuses", severity, what)
    })
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;
    use strata_report::L2Error;

    #[test]
    fn what_is_said_names_the_error_its_time_and_its_number() {
        let message = "invalid username-password pair.".to_owned();
        let error =
            L2Error { code: "WRONGPASS".to_owned(), message, since_ms: 0, at_ms: 9_000, times: 3 };
        assert_eq!(
            said(&error, 10_000),
            "invalid username-password pair (WRONGPASS, 3 times within 10 s)"
        );
        let once = L2Error { message: String::new(), times: 1, ..error };
        assert_eq!(said(&once, 10_000), "WRONGPASS, once within 10 s");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(beginning(&"é".repeat(1_000)).chars().count(), 201);
    }

    #[test]
    fn an_error_of_long_ago_is_not_the_matter() {
        let error = L2Error { at_ms: 1_000, ..L2Error::default() };
        let l2 = L2Report { last_error: Some(error), ..L2Report::default() };
        assert!(recent(&l2, 60_999).is_some());
        assert!(recent(&l2, 61_000).is_none());
    }

    #[test]
    fn an_error_from_before_the_clock_was_set_back_is_not_the_matter_for_hours() {
        let error = L2Error { at_ms: 3_600_000, ..L2Error::default() };
        let l2 = L2Report { last_error: Some(error), ..L2Report::default() };
        assert!(recent(&l2, 5_000).is_none());
        assert!(recent(&l2, 3_599_000).is_some(), "clocks are corrected by a little all the time");
    }

    #[test]
    fn an_open_breaker_is_critical_and_a_node_without_redis_is_not() {
        let mut sound = Sound::new();
        sound.nodes[0].l2.breaker_open = true;
        let found = sound.found_by(breaker_open);
        assert_eq!((found[0].node.as_str(), found[0].severity), ("1", Severity::Critical));
        sound.nodes[0].l2.configured = false;
        assert_eq!(sound.found_by(breaker_open), []);
    }

    #[test]
    fn an_open_breaker_says_what_redis_said_and_what_to_do() {
        let mut sound = Sound::new();
        sound.nodes[0].l2.breaker_open = true;
        for (code, advised) in [("WRONGPASS", "password"), ("CONNECTION", "maxclients")] {
            sound.nodes[0].l2.last_error = Some(L2Error {
                code: code.to_owned(),
                message: "no way in".to_owned(),
                since_ms: 50_000,
                at_ms: 59_000,
                times: 4,
            });
            let found = sound.found_by(breaker_open).remove(0);
            let said = format!("no way in ({code}, 4 times within 10 s)");
            assert!(found.what.contains(&said), "{found:?}");
            assert!(found.what_to_do.contains(advised), "{found:?}");
        }
    }

    fn refused(code: &str) -> Sound {
        let mut sound = Sound::new();
        sound.nodes[0].l2.last_error = Some(L2Error {
            code: code.to_owned(),
            message: "refused".to_owned(),
            since_ms: 50_000,
            at_ms: 59_000,
            times: 9,
        });
        sound
    }

    #[test]
    fn each_kind_of_refusal_has_its_advice() {
        for (code, severity, advised) in [
            ("NOPERM", Severity::Critical, "ACL"),
            ("READONLY", Severity::Critical, "master"),
            ("MISCONF", Severity::Critical, "disk"),
            ("OOM", Severity::Warning, "memory"),
            ("MOVED", Severity::Warning, "cluster"),
        ] {
            let found = refused(code).found_by(redis_refuses).remove(0);
            assert_eq!(found.severity, severity, "{code}");
            assert!(found.what_to_do.contains(advised), "{found:?}");
            assert!(found.what.contains(code), "{found:?}");
        }
    }

    #[test]
    fn a_slow_answer_an_old_error_and_an_open_breaker_are_no_refusal() {
        assert_eq!(refused("TIMEOUT").found_by(redis_refuses), []);
        let mut sound = refused("OOM");
        sound.nodes[0].l2.breaker_open = true;
        assert_eq!(sound.found_by(redis_refuses), [], "another lint tells of that");
        let mut sound = refused("OOM");
        sound.nodes[0].at_ms = 120_000;
        assert_eq!(sound.found_by(redis_refuses), []);
    }
}
