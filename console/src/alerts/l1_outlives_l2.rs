use strata_report::{Alert, Severity};

use super::view::{View, alert, duration};

/// A node may serve what the others no longer have.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
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

    #[test]
    fn a_longer_life_in_l1_than_in_l2_is_found() {
        let mut sound = Sound::new();
        sound.cache().report.settings.l2_time_to_live_ms = Some(60_000);
        for (l1_ms, n) in [(Some(60_001), 1), (None, 1), (Some(60_000), 0)] {
            sound.cache().report.settings.l1_time_to_live_ms = l1_ms;
            assert_eq!(sound.found_by(lint).len(), n, "{l1_ms:?}");
        }
        sound.cache().report.settings.l2_time_to_live_ms = None;
        sound.cache().report.settings.l1_time_to_live_ms = None;
        assert_eq!(sound.found_by(lint), [], "there is no L2");
    }
}
