use strata_report::{Alert, Severity};

use super::view::{View, alert, percent};

/// Fewer are no wave.
const AT_LEAST: u64 = 100;

/// A large part of L1 expired within one step.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
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

#[cfg(test)]
mod tests {
    use strata_report::{Evictions, Point};

    use super::super::view::tests::Sound;
    use super::*;

    #[test]
    fn a_wave_of_expiries_is_found_and_a_trickle_is_not() {
        let mut sound = Sound::new();
        sound.cache().report.l1.entries = 500;
        let point = |expired| {
            let evictions = Evictions { expired, ..Evictions::default() };
            Point { evictions, ..Point::default() }
        };
        sound.minutes = vec![point(3), point(400), point(2)];
        assert!(sound.found_by(lint)[0].what.starts_with("400 entries of users"));
        sound.minutes = vec![point(90); 300];
        assert_eq!(sound.found_by(lint), []);
    }
}
