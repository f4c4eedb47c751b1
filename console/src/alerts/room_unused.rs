use strata_report::{Alert, Severity};

use super::view::{View, alert, percent};

/// Entries leave for size although L1 is less than half full.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
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
                format!("L1 of {name} is {} % full, and yet {displaced} entries were displaced or turned away in the last {} s.", percent(used, max), cache.recent.span_ms / 1_000),
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
    fn displaced_entries_in_a_half_empty_l1_are_found() {
        let mut sound = Sound::new();
        let cache = sound.cache();
        (cache.report.l1.entries, cache.report.l1.entries_max) = (40, Some(100));
        cache.recent.evictions.size = 3;
        assert!(sound.found_by(lint)[0].what.contains("40 % full"));
        sound.cache().report.l1.entries = 60;
        assert_eq!(sound.found_by(lint), []);
        sound.cache().report.l1.entries = 40;
        sound.cache().recent.evictions.size = 0;
        assert_eq!(sound.found_by(lint), []);
    }
}
