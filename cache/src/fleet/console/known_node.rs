//! What a console remembers of one node, and whether it beats, by Redis's clock.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use strata_report::{FLEET_PROTOCOL, FleetReport, NodeCard, PresenceState};

use super::view::FleetNode;
use crate::clock::millis;
use crate::fleet::form::{self, FormError};
use crate::fleet::scripts::FORGOTTEN_AFTER_MS;

/// A node that has not beaten for so long is lost, or for three of its intervals where that is
/// longer.
pub(super) const LOST_AFTER: Duration = Duration::from_secs(10);

/// Of a node whose card cannot be read.
const UNKNOWN_INTERVAL_MS: u64 = 5_000;

/// Two processes under one id are told of for so long after they were last seen in turns.
const TOLD_FOR: Duration = Duration::from_secs(60);

/// So many runs of an id are remembered.
const REMEMBERED_RUNS: usize = 4;

/// What a console remembers of one node.
#[derive(Default)]
pub(super) struct KnownNode {
    pub(super) node: FleetNode,
    pub(super) beat_ms: u64,
    /// The beat after which its report was read last. A read that fails leaves it.
    pub(super) read_beat_ms: Option<u64>,
    pub(super) card_read_ms: Option<u64>,
    pub(super) left_ms: Option<u64>,
    /// Runs before the present one, the last one last.
    runs: VecDeque<String>,
    in_turns_ms: Option<u64>,
}

/// Bytes of a card and of a report, as they lie there.
pub(super) type NodeBytes = (Option<Vec<u8>>, Option<Vec<u8>>);

impl KnownNode {
    /// Takes note of what it says.
    pub(super) fn read(&mut self, bytes: NodeBytes, now_ms: u64) {
        self.read_beat_ms = Some(self.beat_ms);
        let (card, report) = bytes;
        let mut of_run = None;
        let mut unreadable = None;
        if let Some(card) = card {
            match read_card(&card) {
                Ok(card) => {
                    self.card_read_ms = Some(now_ms);
                    self.runs(&card.run, now_ms);
                    of_run = Some(card.run.clone());
                    self.node.card = Some(Arc::new(card));
                }
                Err(error) => unreadable = Some(error),
            }
        } else if self.node.unreadable.is_some() && self.card_read_ms.is_some() {
            // Read again next time.
            self.card_read_ms = None;
        }
        if let Some(report) = report {
            match read_report(&report) {
                // The run before has left it, or another process writes the card: the next read tells.
                Ok(report) if of_run.is_some_and(|run| run != report.run) => {
                    self.card_read_ms = None;
                }
                Ok(mut report) => {
                    // The id of the beat counts, whatever the report calls itself.
                    self.node.id.clone_into(&mut report.report.node);
                    report.run.clone_into(&mut report.report.run);
                    self.runs(&report.run, now_ms);
                    if self.node.card.as_ref().is_some_and(|card| card.run != report.run) {
                        self.card_read_ms = None;
                    }
                    self.node.report = Some(Arc::new(report));
                }
                Err(error) => unreadable = Some(error),
            }
        }
        self.node.unreadable = unreadable;
    }

    /// `may_come_back`: Redis was away until a moment ago, so that no node could beat.
    pub(super) fn settle(&mut self, now_ms: u64, may_come_back: bool) {
        let age_ms = self.age_ms(now_ms);
        let gone_ms = self.left_ms.map_or(age_ms, |at| now_ms.saturating_sub(at));
        let interval_ms = self.interval_ms();
        self.node.heard_ms_ago = age_ms;
        self.node.state = match (self.left_ms, age_ms) {
            _ if gone_ms >= FORGOTTEN_AFTER_MS => PresenceState::Forgotten,
            (Some(_), _) => PresenceState::Left,
            (None, _) if self.is_lost(now_ms) && !self.comes_back(may_come_back) => {
                PresenceState::Lost
            }
            (None, age) if age > interval_ms.saturating_mul(2) => PresenceState::Late,
            (None, _) => PresenceState::Up,
        };
        let told = self.in_turns_ms.is_some_and(|at| at + millis(TOLD_FOR) > now_ms);
        self.node.is_two_processes = told;
    }

    /// One that was lost before stays so until it beats.
    fn comes_back(&self, may: bool) -> bool {
        may && self.node.state.counts()
    }

    fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.beat_ms)
    }

    fn interval_ms(&self) -> u64 {
        let reported = self.node.report.as_ref().map(|report| report.interval_ms);
        let said = self.node.card.as_ref().map(|card| card.interval_ms);
        reported.or(said).filter(|ms| *ms > 0).unwrap_or(UNKNOWN_INTERVAL_MS)
    }

    /// Whether it has not beaten for longer than one that is up would be silent.
    fn is_lost(&self, now_ms: u64) -> bool {
        let lost_after_ms = millis(LOST_AFTER).max(self.interval_ms().saturating_mul(3));
        self.age_ms(now_ms) > lost_after_ms
    }

    /// A run speaks under this id: one that comes back after another one is of a second process.
    fn runs(&mut self, run: &str, now_ms: u64) {
        if self.runs.back().is_some_and(|last| last == run) {
            return;
        }
        if self.runs.iter().any(|earlier| earlier == run) {
            self.in_turns_ms = Some(now_ms);
        }
        self.runs.push_back(run.to_owned());
        if self.runs.len() > REMEMBERED_RUNS {
            self.runs.pop_front();
        }
    }
}

fn read_card(bytes: &[u8]) -> Result<NodeCard, FormError> {
    let card: NodeCard = form::read(bytes, form::MAX_BYTES)?;
    speaks(card.protocol).map(|()| card)
}

fn read_report(bytes: &[u8]) -> Result<FleetReport, FormError> {
    let report: FleetReport = form::read(bytes, form::MAX_BYTES)?;
    speaks(report.protocol).map(|()| report)
}

fn speaks(protocol: u32) -> Result<(), FormError> {
    match protocol > FLEET_PROTOCOL {
        true => Err(FormError::Protocol { found: protocol }),
        false => Ok(()),
    }
}
