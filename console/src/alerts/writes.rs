//! Writes and invalidations that wait or were given up.

use strata_report::{Alert, Severity, WriteBehindReport};

use super::view::{View, alert, duration, percent};

use crate::nodes::merged_write_behinds;

/// A write that has waited for so long, and for several rounds, waits for something else.
const LONG_MS: u64 = 60_000;
const VERY_LONG_MS: u64 = 10 * 60_000;
const ROUNDS: u64 = 3;

/// Acknowledged writes do not reach the source, or there is no room for more.
pub(super) fn writes_wait(view: &View<'_>) -> Vec<Alert> {
    let writes = merged_write_behinds(view.nodes.iter().copied());
    writes.iter().flat_map(|writes| [waits(writes), is_full(writes)]).flatten().collect()
}

fn waits(writes: &WriteBehindReport) -> Option<Alert> {
    let age_ms = writes.oldest_age_ms.filter(|age_ms| *age_ms >= LONG_MS)?;
    if age_ms < writes.interval_ms.saturating_mul(ROUNDS) {
        return None;
    }
    let severity = if age_ms < VERY_LONG_MS { Severity::Warning } else { Severity::Critical };
    let WriteBehindReport { cache, queued, .. } = writes;
    Some(Alert {
        cache: cache.clone(),
        why: "They are acknowledged, but the source does not have them yet: programs that read it without this cache see older rows.".to_owned(),
        what_to_do: "See whether the source answers: the log says what it refuses. Do not stop a node that keeps them in memory.".to_owned(),
        ..alert(
            "writes_wait",
            severity,
            format!("The oldest of {queued} unwritten keys of {cache} has waited for {}.", duration(age_ms)),
        )
    })
}

fn is_full(writes: &WriteBehindReport) -> Option<Alert> {
    let WriteBehindReport { cache, queued, aside, capacity, .. } = writes;
    let used = queued + aside;
    if *capacity == 0 || percent(used, *capacity) < 90 {
        return None;
    }
    let severity = if used < *capacity { Severity::Warning } else { Severity::Critical };
    Some(Alert {
        cache: cache.clone(),
        why: "Where it is full, writes wait or are refused until the source has taken some.".to_owned(),
        what_to_do: "See whether the source keeps up; redrive or drop dead letters, which take room too; or allow more by capacity.".to_owned(),
        ..alert(
            "writes_full",
            severity,
            format!("The write-behind of {cache} holds {queued} unwritten keys and {aside} dead letters, of {capacity} allowed."),
        )
    })
}

/// Acknowledged writes were set aside, because the source refuses them.
pub(super) fn dead_letters(view: &View<'_>) -> Vec<Alert> {
    let writes = merged_write_behinds(view.nodes.iter().copied());
    let found = writes.into_iter().filter(|writes| writes.aside > 0).map(|writes| {
        let what = match writes.aside {
            1 => format!("1 acknowledged write of {} is a dead letter.", writes.cache),
            n => format!("{n} acknowledged writes of {} are dead letters.", writes.cache),
        };
        Alert {
            cache: writes.cache,
            why: "The source refused them as often as allowed, or they cannot be read: they are not in effect, and readers see the older rows.".to_owned(),
            what_to_do: "Look at their reasons on the page of the cache, mend the cause, then redrive them; drop those that nobody wants any more.".to_owned(),
            ..alert("dead_letters", Severity::Critical, what)
        }
    });
    found.collect()
}

/// Invalidations have not reached L2, or so many waited that whole caches were emptied.
pub(super) fn invalidations_wait(view: &View<'_>) -> Vec<Alert> {
    let waiting = view.nodes.iter().filter(|node| node.l2.queued_invalidations > 0);
    waiting
        .map(|node| Alert {
            node: node.node.clone(),
            why: "Their caches do not read L2 on this node until they have been sent, other nodes may read what they are about, and if the node dies first they are lost with it.".to_owned(),
            what_to_do: "Do not restart this node before Redis takes them. The nodes page says what keeps it from that.".to_owned(),
            ..alert(
                "invalidations_wait",
                Severity::Critical,
                format!("{} invalidations wait on node {} for Redis to take them.", node.l2.queued_invalidations, node.node),
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::{Sound, durable};
    use super::*;

    fn found(change: impl FnOnce(&mut WriteBehindReport)) -> Vec<(String, Severity)> {
        let mut sound = Sound::new();
        let mut writes = durable();
        change(&mut writes);
        sound.nodes[0].write_behinds = vec![writes];
        let found = sound.found_by(writes_wait).into_iter();
        found.map(|alert| (alert.lint, alert.severity)).collect()
    }

    fn waiting(age_ms: u64, interval_ms: u64) -> Vec<(String, Severity)> {
        found(|writes| (writes.oldest_age_ms, writes.interval_ms) = (Some(age_ms), interval_ms))
    }

    fn said(lint: &str, severity: Severity) -> Vec<(String, Severity)> {
        vec![(lint.to_owned(), severity)]
    }

    #[test]
    fn writes_that_wait_for_long_are_told_and_those_of_a_long_interval_are_not() {
        assert_eq!(waiting(59_999, 200), []);
        assert_eq!(waiting(60_000, 200), said("writes_wait", Severity::Warning));
        assert_eq!(waiting(600_000, 200), said("writes_wait", Severity::Critical));
        assert_eq!(waiting(600_000, 300_000), []);
    }

    #[test]
    fn a_queue_that_is_nearly_full_is_a_warning_and_a_full_one_critical() {
        let full = |queued, aside| found(|writes| (writes.queued, writes.aside) = (queued, aside));
        assert_eq!(full(80, 9), []);
        assert_eq!(full(80, 10), said("writes_full", Severity::Warning));
        assert_eq!(full(90, 10), said("writes_full", Severity::Critical));
    }

    #[test]
    fn dead_letters_are_critical() {
        let mut sound = Sound::new();
        sound.nodes[0].write_behinds = vec![durable()];
        assert_eq!(sound.found_by(dead_letters), []);
        sound.nodes[0].write_behinds[0].aside = 3;
        let found = sound.found_by(dead_letters).remove(0);
        assert_eq!((found.severity, &*found.cache), (Severity::Critical, "users"));
        assert!(found.what.starts_with("3 acknowledged writes of users"), "{found:?}");
    }

    #[test]
    fn waiting_invalidations_are_critical() {
        let mut sound = Sound::new();
        sound.nodes[0].l2.queued_invalidations = 17;
        assert!(sound.found_by(invalidations_wait)[0].what.starts_with("17 invalidations"));
        sound.nodes[0].l2.queued_invalidations = 0;
        sound.nodes[0].l2.replayed_invalidations = 17;
        assert_eq!(sound.found_by(invalidations_wait), []);
    }
}
