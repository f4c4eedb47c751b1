//! Loads that fail, and key groups that are loaded in vain.

use strata_report::{Alert, Severity};

use super::view::{View, alert, percent};

/// Fewer failures are an accident.
const AT_LEAST: u64 = 5;

/// Loads from the source fail.
pub(super) fn loads_fail(view: &View<'_>) -> Vec<Alert> {
    let mut found = Vec::new();
    for cache in &view.frame.caches {
        let failed = cache.recent.loads_failed;
        let loads = cache.recent.load_latency.count() + failed;
        if failed < AT_LEAST || failed * 20 < loads {
            continue;
        }
        let name = &cache.report.cache;
        let severity = if failed * 2 >= loads { Severity::Critical } else { Severity::Warning };
        found.push(Alert {
            cache: name.clone(),
            why: "Readers of what is not cached get an error, or an older value where a grace period allows it.".to_owned(),
            what_to_do: "See whether the source answers; do not empty this cache meanwhile.".to_owned(),
            ..alert(
                "loads_fail",
                severity,
                format!("{failed} of {loads} loads of {name} failed in the last {} s, {} %.", cache.recent.span_ms / 1_000, percent(failed, loads)),
            )
        });
    }
    found
}

/// Fewer reads say nothing.
const ENOUGH_READS: u64 = 1_000;

/// A key group is filled and answers nobody.
pub(super) fn group_never_hits(view: &View<'_>) -> Vec<Alert> {
    let mut found = Vec::new();
    for report in view.frame.caches.iter().map(|cache| &cache.report) {
        for group in &report.groups.groups {
            let (reads, loaded) = (group.outcomes.reads(), group.outcomes.loaded);
            let hits = group.outcomes.l1_hit + group.outcomes.l2_hit;
            // One in a thousand is as good as none.
            if reads < ENOUGH_READS || loaded < ENOUGH_READS / 2 || hits * 1_000 > reads {
                continue;
            }
            found.push(Alert {
                cache: report.cache.clone(),
                why: "Its entries take the place of others and are not read again.".to_owned(),
                what_to_do: "Leave these keys out of the cache, or keep them for longer."
                    .to_owned(),
                ..alert(
                    "group_never_hits",
                    Severity::Notice,
                    format!(
                        "Of {reads} reads of the group {} of {}, {hits} were hits.",
                        group.group, report.cache
                    ),
                )
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;
    use std::time::Duration;
    use strata_report::{GroupReport, Outcomes};

    #[test]
    fn failing_loads_are_a_warning_and_critical_when_half_fail() {
        let mut sound = Sound::new();
        (0..90).for_each(|_| sound.cache().recent.load_latency.record(Duration::from_millis(1)));
        sound.cache().recent.loads_failed = 10;
        assert_eq!(sound.found_by(loads_fail)[0].severity, Severity::Warning);
        sound.cache().recent.loads_failed = 100;
        assert_eq!(sound.found_by(loads_fail)[0].severity, Severity::Critical);
        sound.cache().recent.loads_failed = 4;
        assert_eq!(sound.found_by(loads_fail), []);
    }

    #[test]
    fn a_group_that_is_filled_and_never_hit_is_found() {
        let mut sound = Sound::new();
        let outcomes = Outcomes { loaded: 2_000, ..Outcomes::default() };
        let group = GroupReport { group: "once".to_owned(), outcomes, ..GroupReport::default() };
        sound.cache().report.groups.groups = vec![group];
        assert!(sound.found_by(group_never_hits)[0].what.contains("once"));
        sound.cache().report.groups.groups[0].outcomes.l1_hit = 100;
        assert_eq!(sound.found_by(group_never_hits), []);
        sound.cache().report.groups.groups[0].outcomes = Outcomes::default();
        assert_eq!(sound.found_by(group_never_hits), [], "an idle group");
    }
}
