use strata_report::{Alert, Severity};

use super::view::{View, alert, percent};

/// Fewer failures are an accident.
const AT_LEAST: u64 = 5;

/// Loads from the source fail.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::view::tests::Sound;
    use super::*;

    #[test]
    fn failing_loads_are_a_warning_and_critical_when_half_fail() {
        let mut sound = Sound::new();
        (0..90).for_each(|_| sound.cache().recent.load_latency.record(Duration::from_millis(1)));
        sound.cache().recent.loads_failed = 10;
        assert_eq!(sound.found_by(lint)[0].severity, Severity::Warning);
        sound.cache().recent.loads_failed = 100;
        assert_eq!(sound.found_by(lint)[0].severity, Severity::Critical);
        sound.cache().recent.loads_failed = 4;
        assert_eq!(sound.found_by(lint), []);
    }
}
