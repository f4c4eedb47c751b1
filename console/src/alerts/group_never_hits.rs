use strata_report::{Alert, Severity};

use super::view::{View, alert};

/// Fewer reads say nothing.
const ENOUGH_READS: u64 = 1_000;

/// A key group is filled and answers nobody.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
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
    use strata_report::{GroupReport, Outcomes};

    use super::super::view::tests::Sound;
    use super::*;

    #[test]
    fn a_group_that_is_filled_and_never_hit_is_found() {
        let mut sound = Sound::new();
        let outcomes = Outcomes { loaded: 2_000, ..Outcomes::default() };
        let group = GroupReport { group: "once".to_owned(), outcomes, ..GroupReport::default() };
        sound.cache().report.groups.groups = vec![group];
        assert!(sound.found_by(lint)[0].what.contains("once"));
        sound.cache().report.groups.groups[0].outcomes.l1_hit = 100;
        assert_eq!(sound.found_by(lint), []);
        sound.cache().report.groups.groups[0].outcomes = Outcomes::default();
        assert_eq!(sound.found_by(lint), [], "an idle group");
    }
}
