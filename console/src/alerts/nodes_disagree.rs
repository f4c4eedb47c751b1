use strata_report::{Alert, Severity};

use super::view::{View, alert};
use crate::nodes::disagreements;

/// Nodes run different versions, or the same cache with different settings.
pub(super) fn lint(view: &View<'_>) -> Vec<Alert> {
    // The bus and the breaker have lints of their own.
    let lasting = |about: &str| matches!(about, "version" | "settings" | "cache");
    let found = disagreements(view.nodes).into_iter().filter(|found| lasting(&found.about));
    found
        .map(|found| {
            let of = if found.cache.is_empty() { String::new() } else { format!(" of {}", found.cache) };
            let says = found.says.iter().map(|node| format!("{}: {}", node.node, node.says));
            let what = format!("Nodes differ in the {}{of} ({}).", found.about, says.collect::<Vec<_>>().join("; "));
            Alert {
                cache: found.cache,
                why: "The same key may live for different times, or be read differently, depending on which node answers.".to_owned(),
                what_to_do: "Finish the deployment, or find out which node was left behind.".to_owned(),
                ..alert("nodes_disagree", Severity::Warning, what)
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::view::tests::Sound;
    use super::*;

    #[test]
    fn two_versions_are_a_warning() {
        let mut sound = Sound::new();
        let mut other = sound.nodes[0].clone();
        other.node = "2".to_owned();
        sound.nodes.push(other);
        assert_eq!(sound.found_by(lint), []);
        sound.nodes[1].version = "2".to_owned();
        assert!(sound.found_by(lint)[0].what.contains("1: 1; 2: 2"));
    }
}
