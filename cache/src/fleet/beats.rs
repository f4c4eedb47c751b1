//! The task by which a node shows that it is there: one script each second while a console
//! watches, each five seconds otherwise.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use strata_report::{FLEET_PROTOCOL, FleetReport, NodeCard};
use tokio::time::Instant;

use super::events::{ConsoleWant, EventCursors};
use super::presence::{FleetHost, Presence};
use super::{form, report, scripts};
use crate::clock::millis;
use crate::connection::{CallError, ErrorReply};
use crate::log::log_safely;
use crate::user_code::contained;

/// How often a node beats that nobody watches.
const UNWATCHED: Duration = Duration::from_secs(5);

/// How often it may be asked to.
const FASTEST: Duration = Duration::from_secs(1);
const SLOWEST: Duration = Duration::from_secs(60);

/// A card lives for so long, and is written again after this time.
const CARD_LIVES: Duration = Duration::from_secs(60);
const CARD_AGAIN: Duration = Duration::from_secs(20);

/// While Redis is away.
const TRIED_AGAIN: Duration = Duration::from_secs(1);

/// How often the namespace is noted, and how long it stays noted.
const NOTED_AGAIN: Duration = Duration::from_secs(60);
const NOTED_FOR: Duration = Duration::from_secs(24 * 3600);

/// What a node knows from its last beat.
#[derive(Default)]
struct Beats {
    n_beats: u64,
    /// What consoles want; `None` while nobody watches.
    wanted: Option<MergedWants>,
    card_at: Option<Instant>,
    /// The card did not lie there.
    card_is_missing: bool,
    noted_at: Option<Instant>,
    /// How far consoles were told of events.
    events: EventCursors,
    /// Where the part of the list of namespaces begins that is tidied next.
    tidied_from: u64,
}

/// What all consoles want together.
#[derive(Clone, Debug, PartialEq, Eq)]
struct MergedWants {
    interval: Duration,
    details: BTreeSet<String>,
}

impl MergedWants {
    /// `None` where nobody wants anything.
    fn of(wants: &[ConsoleWant]) -> Option<Self> {
        let mut all: Option<Self> = None;
        for ConsoleWant { want, .. } in wants {
            let asked = Duration::from_millis(want.interval_ms).clamp(FASTEST, SLOWEST);
            let all = all.get_or_insert_with(|| Self { interval: asked, details: BTreeSet::new() });
            all.interval = all.interval.min(asked);
            all.details.extend(want.details.iter().cloned());
        }
        all
    }
}

impl Beats {
    fn interval(&self) -> Duration {
        self.wanted.as_ref().map_or(UNWATCHED, |wanted| wanted.interval)
    }
}

impl Presence {
    /// Beats for ever.
    pub(crate) async fn beat(&self, host: Arc<dyn FleetHost>) {
        let mut beats = Beats::default();
        loop {
            let pause = match self.beat_once(&*host, &mut beats).await {
                Ok(true) => Duration::ZERO,
                Ok(false) => beats.interval(),
                Err(CallError::Away) => TRIED_AGAIN,
                Err(CallError::Refused(error)) => {
                    self.tell(&error);
                    UNWATCHED
                }
            };
            self.note_namespace(&mut beats).await;
            tokio::time::sleep(pause).await;
        }
    }

    /// Whether the next beat should follow at once: somebody has begun to watch.
    async fn beat_once(&self, host: &dyn FleetHost, beats: &mut Beats) -> Result<bool, CallError> {
        let mut written = self.written.lock().await;
        if written.has_left() {
            return Ok(false);
        }
        let interval = beats.interval();
        let card = self.card(host.cache_names(), interval);
        let card = self.card_bytes(card);
        let is_card_due = beats.card_is_missing
            || beats.card_at.is_none_or(|at| at.elapsed() >= CARD_AGAIN)
            || card != written.card;
        let report = beats.wanted.clone().and_then(|wanted| self.report(host, beats, wanted));
        let report = report.unwrap_or_default();
        let mut beat = scripts::BEAT.prepare_invoke();
        beat.key(self.names.nodes()).key(self.names.card(&self.node));
        beat.key(self.names.now(&self.node)).key(self.names.want()).arg(&self.node);
        if is_card_due {
            written.card.clone_from(&card);
        }
        beat.arg(if is_card_due { &*card } else { &[] }).arg(millis(CARD_LIVES));
        let report_lives = (interval * 3).max(Duration::from_secs(5));
        beat.arg(&report).arg(millis(report_lives)).arg(u8::from(beats.n_beats == 0));
        let answer: Result<Vec<String>, CallError> = self.ask(&beat).await;
        if answer.is_err() {
            // Nobody knows which card lies there: the next beat writes it.
            written.card.clear();
        }
        drop(written);
        let answer = answer?;
        let [_, has_card, wants @ ..] = &*answer else { return Ok(false) };
        if is_card_due {
            beats.card_at = Some(Instant::now());
        }
        beats.card_is_missing = has_card == "0";
        beats.n_beats += 1;
        let was_watched = beats.wanted.is_some();
        let wants = ConsoleWant::of(wants);
        beats.wanted = MergedWants::of(&wants);
        self.send_events(host, &mut beats.events, &wants).await;
        Ok(!was_watched && beats.wanted.is_some())
    }

    fn report(&self, host: &dyn FleetHost, beats: &Beats, wanted: MergedWants) -> Option<Vec<u8>> {
        let mut report = FleetReport {
            protocol: FLEET_PROTOCOL,
            run: self.run.clone(),
            beat: beats.n_beats,
            interval_ms: millis(wanted.interval),
            // Before the report, so that it never says more than the report shows.
            acted_on: host.acted_on(),
            report: contained(|| host.report())?,
            asks: self.counts.read(),
            ..FleetReport::default()
        };
        report::without_details(&mut report, &wanted.details);
        if !self.settings.policy().looks {
            report.report.caches.iter_mut().for_each(report::without_key_names);
        }
        report::write(&mut report).or_else(|| {
            self.tell_too_large("report");
            report::write_bare(report)
        })
    }

    /// Without what a service says at length where that is too large.
    fn card_bytes(&self, card: NodeCard) -> Vec<u8> {
        let bytes = form::write(&card, form::MAX_BYTES).or_else(|| {
            self.tell_too_large("card");
            let card = NodeCard { caches: Vec::new(), labels: BTreeMap::new(), ..card };
            let short = |card: &NodeCard| form::write(card, form::MAX_BYTES);
            short(&card).or_else(|| {
                let (app, version, environment) = Default::default();
                short(&NodeCard { app, version, environment, ..card })
            })
        });
        bytes.unwrap_or_default()
    }

    fn tell_too_large(&self, what: &str) {
        if let Some(times) = self.too_large_told.due() {
            let (node, most) = (&*self.node, form::MAX_BYTES);
            let why = "what this node says of itself is too large: consoles see a part of it";
            log_safely(|| tracing::warn!(node, what, most, times, "{why}"));
        }
    }

    async fn note_namespace(&self, beats: &mut Beats) {
        if beats.n_beats == 0 || beats.noted_at.is_some_and(|at| at.elapsed() < NOTED_AGAIN) {
            return;
        }
        beats.noted_at = Some(Instant::now());
        let mut note = scripts::NOTE_NAMESPACE.prepare_invoke();
        note.key(super::names::NAMESPACES).arg(self.names.namespace()).arg(millis(NOTED_FOR));
        note.arg(beats.tidied_from);
        // An ACL may keep it to its own namespace: then consoles must be told its name.
        let list = super::names::NAMESPACES;
        let next: Result<String, CallError> = self.link.ask_beside(list, &note).await;
        beats.tidied_from = next.ok().and_then(|next| next.parse().ok()).unwrap_or_default();
    }

    fn tell(&self, error: &ErrorReply) {
        if let Some(times) = self.refused_told.due() {
            let (node, error) = (&*self.node, error.to_string());
            let what = "Redis refuses what this node says of itself: consoles do not see it";
            log_safely(|| tracing::warn!(node, error, times, "{what}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use strata_report::Want;

    use super::*;

    fn want(interval_ms: u64, details: &[&str]) -> String {
        let details = details.iter().map(|name| (*name).to_owned()).collect();
        serde_json::to_string(&Want { interval_ms, details, ..Want::default() }).unwrap()
    }

    fn merged(wants: &[String]) -> Option<MergedWants> {
        let answer: Vec<_> = wants.iter().flat_map(|want| ["c".to_owned(), want.clone()]).collect();
        MergedWants::of(&ConsoleWant::of(&answer))
    }

    #[test]
    fn the_most_impatient_console_says_how_often_and_all_say_what() {
        assert_eq!(merged(&[]), None);
        let both = merged(&[want(60_000, &["users"]), want(2_000, &["posts"])]).unwrap();
        assert_eq!(both.interval, Duration::from_secs(2));
        assert!(both.details.iter().eq(["posts", "users"]));
    }

    #[test]
    fn nobody_makes_a_node_beat_too_often_or_too_rarely() {
        for (asked_ms, beats_s) in [(0, 1), (999, 1), (1_500, 1), (u64::MAX, 60)] {
            let interval = merged(&[want(asked_ms, &[])]).unwrap().interval;
            assert_eq!(interval.as_secs(), beats_s, "{asked_ms}");
        }
        assert!(merged(&["{\"until\": 7}".to_owned()]).is_some());
    }
}
