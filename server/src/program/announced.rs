//! The namespace that `strata serve` watches where nobody named one.

use std::time::Duration;

use strata_cache::FleetClient;
use tokio::sync::watch;
use tracing::warn;

/// How often Redis is asked while no service is there.
const LOOKED_AGAIN: Duration = Duration::from_secs(1);

/// A node that is up notes its namespace once a minute; what was noted earlier is of one that ended.
const NOTED_WITHIN_MS: u64 = 120_000;

/// A namespace, and how long ago it was noted, milliseconds.
type Noted = (String, u64);

/// The namespace that nodes announce in Redis, once there is one: the one that was seen last, and
/// the first by name where several were seen within the same minute.
pub(super) async fn announced_namespace(
    fleet: &FleetClient,
    waits: &watch::Sender<String>,
) -> String {
    let mut told = None;
    loop {
        let (what, why) = match fleet.namespaces().await {
            Ok(noted) => match chosen(&noted) {
                Some(chosen) => {
                    tell_choice(&chosen, &noted);
                    return chosen;
                }
                None => (names(&noted), not_there(&noted)),
            },
            Err(error) => (error.to_string(), format!("failed to {error}")),
        };
        // That time goes by is no news.
        if told.as_ref() != Some(&what) {
            warn!("waiting for a service: {why}; --namespace names one");
            told = Some(what);
        }
        waits.send_replace(why);
        tokio::time::sleep(LOOKED_AGAIN).await;
    }
}

fn is_there((_, seen_ms_ago): &&Noted) -> bool {
    *seen_ms_ago <= NOTED_WITHIN_MS
}

fn chosen(noted: &[Noted]) -> Option<String> {
    let there = noted.iter().filter(is_there);
    let newest = there.min_by_key(|(name, seen_ms_ago)| (seen_ms_ago / 60_000, name));
    newest.map(|(name, _)| name.clone())
}

fn tell_choice(chosen: &str, noted: &[Noted]) {
    let there: Vec<_> = noted.iter().filter(is_there).cloned().collect();
    if there.len() > 1 {
        let all = names(&there);
        warn!(chosen, "several services announce themselves ({all}); --namespace chooses another");
    }
}

fn names(noted: &[Noted]) -> String {
    noted.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Why none of them is taken.
fn not_there(noted: &[Noted]) -> String {
    if noted.is_empty() {
        return "no service has announced itself in Redis yet".to_owned();
    }
    let seen = noted.iter().map(|(name, ms)| format!("{name} was last seen {} ago", span(*ms)));
    let seen = seen.collect::<Vec<_>>().join(", ");
    format!("no service has announced itself in the last two minutes; {seen}")
}

fn span(ms: u64) -> String {
    match ms / 60_000 {
        minutes @ 0..120 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(all: &[(&str, u64)]) -> Vec<Noted> {
        all.iter().map(|(name, minutes)| ((*name).to_owned(), minutes * 60_000)).collect()
    }

    #[test]
    fn a_service_that_ended_is_not_taken_and_it_says_when_it_was_seen() {
        let ended = noted(&[("depot", 3), ("shop", 300)]);
        assert_eq!(chosen(&ended), None);
        let said = "no service has announced itself in the last two minutes; \
                    depot was last seen 3 min ago, shop was last seen 5 h ago";
        assert_eq!(not_there(&ended), said);
        assert_eq!(not_there(&[]), "no service has announced itself in Redis yet");
    }

    #[test]
    fn of_several_services_the_one_seen_last_is_taken_and_then_the_first_by_name() {
        assert_eq!(chosen(&noted(&[("a", 7), ("b", 1), ("c", 0)])).as_deref(), Some("c"));
        let within_a_minute = [("b".to_owned(), 100), ("a".to_owned(), 50_000)];
        assert_eq!(chosen(&within_a_minute).as_deref(), Some("a"));
    }
}
