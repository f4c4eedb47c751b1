//! Times to live that do not fit together.

use strata_report::{Alert, Severity};

use super::view::{View, alert, duration, percent};

/// Fewer expiries are no peak.
const AT_LEAST: u64 = 100;

/// A large part of L1 expired within one step.
pub(super) fn expire_together(view: &View<'_>) -> Vec<Alert> {
    let mut found = Vec::new();
    for cache in &view.frame.caches {
        let name = &cache.report.cache;
        let wave = (view.minutes)(name).iter().map(|point| point.evictions.expired).max();
        let (wave, entries) = (wave.unwrap_or(0), cache.report.l1.entries);
        if wave < AT_LEAST || wave * 5 < entries {
            continue;
        }
        let share = percent(wave, wave + entries);
        found.push(Alert {
            cache: name.clone(),
            why: "Their readers all go to L2 or the source at once.".to_owned(),
            what_to_do: "Give the cache more jitter, or refresh entries before they expire.".to_owned(),
            ..alert(
                "expire_together",
                Severity::Warning,
                format!("{wave} entries of {name}, about {share} % of L1, expired within a second of the last five minutes."),
            )
        });
    }
    found
}

/// A node may serve what the others no longer have.
pub(super) fn l1_outlives_l2(view: &View<'_>) -> Vec<Alert> {
    let mut found = Vec::new();
    for report in view.frame.caches.iter().map(|cache| &cache.report) {
        let settings = &report.settings;
        let Some(l2_ms) = settings.l2_time_to_live_ms else { continue };
        let l1_ms = settings.l1_time_to_live_ms.unwrap_or(u64::MAX);
        if l1_ms <= l2_ms {
            continue;
        }
        let l1 = settings.l1_time_to_live_ms.map_or("no limit".to_owned(), duration);
        found.push(Alert {
            cache: report.cache.clone(),
            why: "L2 ends an entry's life first, so the longer time in L1 is never used in full and a restart loads everything from the source.".to_owned(),
            what_to_do: "Give L2 the longer time to live.".to_owned(),
            ..alert(
                "l1_outlives_l2",
                Severity::Notice,
                format!("{} lives for {l1} in L1 and {} in L2.", report.cache, duration(l2_ms)),
            )
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;
    use strata_report::{Evictions, Point};

    #[test]
    fn a_wave_of_expiries_is_found_and_a_trickle_is_not() {
        let mut sound = Sound::new();
        sound.cache().report.l1.entries = 500;
        let point = |expired| {
            let evictions = Evictions { expired, ..Evictions::default() };
            Point { evictions, ..Point::default() }
        };
        sound.minutes = vec![point(3), point(400), point(2)];
        assert!(sound.found_by(expire_together)[0].what.starts_with("400 entries of users"));
        sound.minutes = vec![point(90); 300];
        assert_eq!(sound.found_by(expire_together), []);
    }

    #[test]
    fn a_longer_life_in_l1_than_in_l2_is_found() {
        let mut sound = Sound::new();
        sound.cache().report.settings.l2_time_to_live_ms = Some(60_000);
        for (l1_ms, n) in [(Some(60_001), 1), (None, 1), (Some(60_000), 0)] {
            sound.cache().report.settings.l1_time_to_live_ms = l1_ms;
            assert_eq!(sound.found_by(l1_outlives_l2).len(), n, "{l1_ms:?}");
        }
        sound.cache().report.settings.l2_time_to_live_ms = None;
        sound.cache().report.settings.l1_time_to_live_ms = None;
        assert_eq!(sound.found_by(l1_outlives_l2), [], "there is no L2");
    }
}
