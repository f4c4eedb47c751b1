//! L1 that is too small, or full on one node only.

use strata_report::{Alert, Severity};

use super::view::{View, alert, percent};

/// Fewer points of the hit ratio are not worth twice the memory.
const WORTH_IT: f64 = 0.05;

/// Twice the size would answer many more reads from L1.
pub(super) fn l1_too_small(view: &View<'_>) -> Vec<Alert> {
    let mut found = Vec::new();
    for cache in &view.frame.caches {
        let Some(what_if) = &cache.report.what_if else { continue };
        let (Some(now), Some(double)) = (what_if.hit_ratio(1.0), what_if.hit_ratio(2.0)) else {
            continue;
        };
        let displaced = cache.recent.evictions.size + cache.recent.evictions.refused;
        if double - now < WORTH_IT || displaced == 0 {
            continue;
        }
        let percent = |ratio: f64| (ratio * 100.0).round() as u64;
        let (now, double) = (percent(now), percent(double));
        let name = &cache.report.cache;
        found.push(Alert {
            cache: name.clone(),
            why: format!("L1 is full: {displaced} entries were evicted or not admitted in the last {} s.", cache.recent.span_ms / 1_000),
            what_to_do: format!("Give L1 of {name} twice the size, if there is memory for it."),
            ..alert(
                "l1_too_small",
                Severity::Notice,
                format!("With twice the size, L1 of {name} would answer about {double} % of its reads instead of {now} %, by all reads since the start."),
            )
        });
    }
    found
}

/// Entries leave for size although L1 is less than half full.
pub(super) fn room_unused(view: &View<'_>) -> Vec<Alert> {
    let mut found = Vec::new();
    for cache in &view.frame.caches {
        let l1 = &cache.report.l1;
        let (used, max) = match (l1.weight_bytes, l1.weight_max_bytes, l1.entries_max) {
            (Some(used), Some(max), _) => (used, max),
            (_, _, Some(max)) => (l1.entries, max),
            _ => continue,
        };
        let displaced = cache.recent.evictions.size + cache.recent.evictions.refused;
        if displaced == 0 || used * 2 >= max {
            continue;
        }
        let name = &cache.report.cache;
        found.push(Alert {
            cache: name.clone(),
            why: "Either one node is full while the others are idle, or single entries are nearly as large as L1.".to_owned(),
            what_to_do: "Compare the nodes, and the sizes of the entries, on the cache's page.".to_owned(),
            ..alert(
                "room_unused",
                Severity::Warning,
                format!("L1 of {name} is {} % full, and yet {displaced} entries were evicted or not admitted in the last {} s.", percent(used, max), cache.recent.span_ms / 1_000),
            )
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;
    use strata_report::{WhatIf, WhatIfPoint};

    #[test]
    fn a_steep_curve_of_a_full_l1_is_found() {
        let mut sound = Sound::new();
        let point = |capacity_factor, hits| WhatIfPoint { capacity_factor, hits };
        let points = vec![point(1.0, 5_000), point(2.0, 6_000)];
        let what_if = WhatIf { reads: 10_000, sampled_reads: 5_000, points, ..WhatIf::default() };
        sound.cache().report.what_if = Some(what_if);
        assert_eq!(sound.found_by(l1_too_small), [], "it is not full");
        sound.cache().recent.evictions.size = 3;
        assert!(
            sound.found_by(l1_too_small)[0]
                .what
                .contains("about 60 % of its reads instead of 50 %")
        );
        sound.cache().report.what_if.as_mut().unwrap().points[1].hits = 5_100;
        assert_eq!(sound.found_by(l1_too_small), []);
    }

    #[test]
    fn displaced_entries_in_a_half_empty_l1_are_found() {
        let mut sound = Sound::new();
        let cache = sound.cache();
        (cache.report.l1.entries, cache.report.l1.entries_max) = (40, Some(100));
        cache.recent.evictions.size = 3;
        assert!(sound.found_by(room_unused)[0].what.contains("40 % full"));
        sound.cache().report.l1.entries = 60;
        assert_eq!(sound.found_by(room_unused), []);
        sound.cache().report.l1.entries = 40;
        sound.cache().recent.evictions.size = 0;
        assert_eq!(sound.found_by(room_unused), []);
    }
}
