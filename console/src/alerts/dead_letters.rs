use strata_report::{Alert, Severity};

use super::view::{View, alert};
use crate::dead_letters::merged;

/// Acknowledged writes were set aside, because the source refuses them.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    let writes = merged(view.nodes.iter());
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

#[cfg(test)]
mod tests {
    use super::super::view::tests::{Sound, durable};
    use super::*;

    #[test]
    fn dead_letters_are_critical() {
        let mut sound = Sound::new();
        sound.nodes[0].write_behinds = vec![durable()];
        assert_eq!(sound.found_by(lint), []);
        sound.nodes[0].write_behinds[0].aside = 3;
        let found = sound.found_by(lint).remove(0);
        assert_eq!((found.severity, &*found.cache), (Severity::Critical, "users"));
        assert!(found.what.starts_with("3 acknowledged writes of users"), "{found:?}");
    }
}
