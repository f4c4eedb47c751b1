//! The nodes of a namespace as a console sees them, by Redis's clock.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use strata_report::{FLEET_PROTOCOL, FleetReport, NodeCard, NodeId, PresenceState};

use super::form::{self, FormError};
use super::scripts::{FORGOTTEN_AFTER_MS, KEPT_MS};
use crate::clock::millis;

/// A node that has not beaten for so long is lost, or for three of its intervals where that is
/// longer.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// Of a node whose card cannot be read.
const UNKNOWN_INTERVAL_MS: u64 = 5_000;

/// How long a card that was read counts.
const CARD_COUNTS: Duration = Duration::from_secs(10);

/// So long after Redis has lost its data, a node that is not listed may come back.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(15);

/// Where nodes were not listed for so long, Redis was away, or the console stood still.
const AWAY_AFTER: Duration = Duration::from_secs(5);

/// Two processes under one id are told of for so long after they were last seen in turns.
const TOLD_FOR: Duration = Duration::from_secs(60);

/// No node's id is longer.
const MAX_ID_BYTES: usize = 256;

/// So many runs of an id are remembered.
const REMEMBERED_RUNS: usize = 4;

/// The nodes of a namespace at one instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FleetView {
    /// When, milliseconds since the epoch by Redis's clock.
    pub now_ms: u64,
    /// The nodes by their ids. One that is forgotten is in one view as such, and in none after.
    pub nodes: Vec<FleetNode>,
}

impl FleetView {
    /// How many nodes are in a state.
    pub fn count(&self, state: PresenceState) -> usize {
        self.nodes.iter().filter(|node| node.state == state).count()
    }

    /// The node of an id.
    pub fn node(&self, id: &str) -> Option<&FleetNode> {
        self.nodes.iter().find(|node| node.id == id)
    }
}

/// One node as a console sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FleetNode {
    /// Its id.
    pub id: NodeId,
    /// Whether it beats.
    pub state: PresenceState,
    /// Since its last beat, milliseconds by Redis's clock.
    pub heard_ms_ago: u64,
    /// What it says of itself; `None` where that was never read.
    pub card: Option<Arc<NodeCard>>,
    /// Its newest report; `None` where it was never read. It stays where the node is heard no more:
    /// its numbers are of that time. Views share it, and two of them are the same one until the node
    /// beats again.
    pub report: Option<Arc<FleetReport>>,
    /// Why its card or report cannot be read at the moment.
    pub unreadable: Option<FormError>,
    /// Whether two processes call themselves by its id: their runs were seen in turns.
    pub is_two_processes: bool,
}

/// What a console remembers of the nodes.
#[derive(Default)]
pub(super) struct KnownNodes {
    nodes: BTreeMap<NodeId, KnownNode>,
    /// When Redis was last seen to have lost its data.
    emptied_ms: Option<u64>,
    /// When the nodes were listed last.
    listed_ms: Option<u64>,
    /// When they were listed again, after a time in which they could not be.
    resumed_ms: Option<u64>,
}

#[derive(Default)]
struct KnownNode {
    node: FleetNode,
    beat_ms: u64,
    /// The beat after which its report was read last. A read that fails leaves it.
    read_beat_ms: Option<u64>,
    card_read_ms: Option<u64>,
    left_ms: Option<u64>,
    /// Runs before the present one, the last one last.
    runs: VecDeque<String>,
    in_turns_ms: Option<u64>,
}

/// Who is listed, and when each last beat.
pub(super) struct NodeListing {
    pub(super) now_ms: u64,
    /// `None` where the list could not be read.
    pub(super) beats: Option<Vec<(NodeId, f64)>>,
    /// What this console wants still lies there.
    pub(super) has_want: bool,
}

/// Bytes of a card and of a report, as they lie there.
pub(super) type NodeBytes = (Option<Vec<u8>>, Option<Vec<u8>>);

impl KnownNodes {
    /// Takes note of who is listed. Answers whose report is to be read, and of whom the card as well.
    /// A node that has not beaten since its report was read has none that is newer.
    pub(super) fn list(&mut self, listed: &NodeListing) -> Vec<(NodeId, bool)> {
        let now_ms = listed.now_ms;
        // Where Redis was away for this console, it may have been for the nodes too.
        let was_away = |last: u64| last + millis(AWAY_AFTER) < now_ms;
        if self.listed_ms.replace(now_ms).is_some_and(was_away) {
            self.resumed_ms = Some(now_ms);
        }
        if !listed.has_want || listed.beats.is_none() {
            self.emptied_ms = Some(now_ms);
        }
        // No node wrote a beat that is none, or that is yet to come.
        let is_one = |(id, beat_ms): &&(NodeId, f64)| {
            id.len() <= MAX_ID_BYTES
                && beat_ms.is_finite()
                && (0.0..=(now_ms + KEPT_MS) as f64).contains(beat_ms)
        };
        let beats: Vec<_> = listed.beats.iter().flatten().filter(is_one).collect();
        let ids: HashSet<&str> = beats.iter().map(|(id, _)| &**id).collect();
        let lost_data = self.emptied_ms.is_some_and(|at| at + millis(COMES_BACK_WITHIN) > now_ms);
        for (id, known) in self.nodes.iter_mut().filter(|(id, _)| !ids.contains(&***id)) {
            debug_assert_eq!(*id, known.node.id);
            // One that was lost is removed after a while: it has not left.
            let was_lost = known.node.state == PresenceState::Lost;
            if !lost_data && known.left_ms.is_none() && !was_lost {
                known.left_ms = Some(now_ms);
            }
        }
        let mut to_read = Vec::with_capacity(beats.len());
        for (id, beat_ms) in beats {
            let known = self.nodes.entry(id.clone()).or_default();
            id.clone_into(&mut known.node.id);
            known.left_ms = None;
            known.beat_ms = *beat_ms as u64;
            let has_beaten = known.read_beat_ms != Some(known.beat_ms);
            let counts = |at: u64| at + millis(CARD_COUNTS) > now_ms;
            let reads_card = !known.card_read_ms.is_some_and(counts);
            let is_unread = known.node.report.is_none() || known.node.unreadable.is_some();
            if has_beaten || reads_card || is_unread {
                to_read.push((id.clone(), reads_card));
            }
        }
        to_read
    }

    /// Takes note of what one node says.
    pub(super) fn read(&mut self, id: &str, bytes: NodeBytes, now_ms: u64) {
        let Some(known) = self.nodes.get_mut(id) else { return };
        known.read_beat_ms = Some(known.beat_ms);
        let (card, report) = bytes;
        let mut of_run = None;
        let mut unreadable = None;
        if let Some(card) = card {
            match read_card(&card) {
                Ok(card) => {
                    known.card_read_ms = Some(now_ms);
                    known.runs(&card.run, now_ms);
                    of_run = Some(card.run.clone());
                    known.node.card = Some(Arc::new(card));
                }
                Err(error) => unreadable = Some(error),
            }
        } else if known.node.unreadable.is_some() && known.card_read_ms.is_some() {
            // Read again next time.
            known.card_read_ms = None;
        }
        if let Some(report) = report {
            match read_report(&report) {
                // The run before has left it, or another process writes the card: the next read tells.
                Ok(report) if of_run.is_some_and(|run| run != report.run) => {
                    known.card_read_ms = None;
                }
                Ok(mut report) => {
                    // The id of the beat counts, whatever the report calls itself.
                    id.clone_into(&mut report.report.node);
                    report.run.clone_into(&mut report.report.run);
                    known.runs(&report.run, now_ms);
                    if known.node.card.as_ref().is_some_and(|card| card.run != report.run) {
                        known.card_read_ms = None;
                    }
                    known.node.report = Some(Arc::new(report));
                }
                Err(error) => unreadable = Some(error),
            }
        }
        known.node.unreadable = unreadable;
    }

    /// All nodes now. Those that are forgotten are so from now on.
    pub(super) fn view(&mut self, now_ms: u64) -> FleetView {
        let resumed = self.resumed_ms.filter(|at| at + millis(LOST_AFTER) > now_ms);
        for known in self.nodes.values_mut() {
            known.settle(now_ms, resumed.is_some());
        }
        let nodes = self.nodes.values().map(|known| known.node.clone()).collect();
        self.nodes.retain(|_, known| known.node.state != PresenceState::Forgotten);
        FleetView { now_ms, nodes }
    }

    /// Those that should answer: they are up or late.
    pub(super) fn answering(&self) -> Vec<NodeId> {
        let answering = self.nodes.values().filter(|known| known.node.state.counts());
        answering.map(|known| known.node.id.clone()).collect()
    }

    /// How many should answer.
    pub(super) fn n_answering(&self) -> usize {
        self.nodes.values().filter(|known| known.node.state.counts()).count()
    }

    /// How long ago a node was heard, as of the last view.
    pub(super) fn heard_ms_ago(&self, id: &str) -> Option<u64> {
        self.nodes.get(id).map(|known| known.node.heard_ms_ago)
    }
}

impl KnownNode {
    /// `may_come_back`: Redis was away until a moment ago, so that no node could beat.
    fn settle(&mut self, now_ms: u64, may_come_back: bool) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const START_MS: u64 = 1_763_000_000_000;

    fn listed(at_ms: u64, beats: &[(&str, u64)]) -> NodeListing {
        let beats = beats.iter().map(|(id, ms)| ((*id).to_owned(), (START_MS + ms) as f64));
        NodeListing { now_ms: START_MS + at_ms, beats: Some(beats.collect()), has_want: true }
    }

    fn report(run: &str, interval_ms: u64) -> NodeBytes {
        let run = run.to_owned();
        let report = FleetReport { protocol: 1, run, interval_ms, ..FleetReport::default() };
        (None, form::write(&report, form::MAX_BYTES))
    }

    fn states(nodes: &mut KnownNodes, at_ms: u64) -> Vec<PresenceState> {
        nodes.view(START_MS + at_ms).nodes.iter().map(|node| node.state).collect()
    }

    #[test]
    fn a_node_that_is_silent_is_late_then_lost_then_forgotten() {
        let mut nodes = KnownNodes::default();
        nodes.list(&listed(0, &[("pod-7", 0)]));
        nodes.read("pod-7", report("a", 1_000), START_MS);
        let expected = [
            (0, PresenceState::Up),
            (2_000, PresenceState::Up),
            (2_001, PresenceState::Late),
            (10_000, PresenceState::Late),
            (10_001, PresenceState::Lost),
            (599_999, PresenceState::Lost),
            (600_000, PresenceState::Forgotten),
        ];
        let mut listed_ms = 0;
        for (at_ms, state) in expected {
            for second_ms in (listed_ms..at_ms).step_by(1_000).chain([at_ms]) {
                nodes.list(&listed(second_ms, &[("pod-7", 0)]));
            }
            listed_ms = at_ms;
            assert_eq!(states(&mut nodes, at_ms), [state], "{at_ms}");
        }
        assert!(states(&mut nodes, 600_001).is_empty(), "it is in no view after that");
    }

    #[test]
    fn a_report_whose_read_failed_is_read_at_the_next_poll_although_the_node_has_not_beaten() {
        let mut nodes = KnownNodes::default();
        let card = NodeCard { protocol: 1, run: "a".to_owned(), ..NodeCard::default() };
        let card = form::write(&card, form::MAX_BYTES);
        let unread = [("pod-7".to_owned(), false)];
        nodes.list(&listed(0, &[("pod-7", 0)]));
        nodes.read("pod-7", (card, report("a", 1_000).1), START_MS);
        assert_eq!(nodes.list(&listed(1_000, &[("pod-7", 1_000)])), unread);
        assert_eq!(nodes.list(&listed(2_000, &[("pod-7", 1_000)])), unread, "it was not read");
        nodes.read("pod-7", report("a", 1_000), START_MS + 2_000);
        assert!(nodes.list(&listed(3_000, &[("pod-7", 1_000)])).is_empty(), "it was");
    }

    #[test]
    fn a_node_that_is_asked_rarely_is_lost_after_three_of_its_intervals() {
        let mut nodes = KnownNodes::default();
        nodes.list(&listed(0, &[("pod-7", 0)]));
        nodes.read("pod-7", report("a", 60_000), START_MS);
        assert_eq!(states(&mut nodes, 119_000), [PresenceState::Up]);
        assert_eq!(states(&mut nodes, 179_000), [PresenceState::Late]);
        assert_eq!(states(&mut nodes, 181_000), [PresenceState::Lost]);
    }

    #[test]
    fn a_node_that_is_listed_no_more_has_left_and_may_come_back() {
        let mut nodes = KnownNodes::default();
        nodes.list(&listed(0, &[("a", 0), ("b", 0)]));
        nodes.list(&listed(1_000, &[("a", 900)]));
        assert_eq!(states(&mut nodes, 1_000), [PresenceState::Up, PresenceState::Left]);
        assert_eq!(nodes.answering(), ["a"]);
        nodes.list(&listed(2_000, &[("a", 1_900), ("b", 2_000)]));
        assert_eq!(states(&mut nodes, 2_000), [PresenceState::Up, PresenceState::Up]);
    }

    #[test]
    fn what_is_longer_than_an_id_is_no_node() {
        let mut nodes = KnownNodes::default();
        let (longest, longer) = ("x".repeat(256), "y".repeat(257));
        let to_read = nodes.list(&listed(0, &[(&longest, 0), (&longer, 0)]));
        assert_eq!(to_read, [(longest, true)]);
    }

    #[test]
    fn a_node_that_is_lost_and_then_removed_from_the_list_has_not_left() {
        let mut nodes = KnownNodes::default();
        nodes.list(&listed(0, &[("a", 0)]));
        assert_eq!(states(&mut nodes, 300_000), [PresenceState::Lost]);
        nodes.list(&listed(599_000, &[]));
        assert_eq!(states(&mut nodes, 599_000), [PresenceState::Lost]);
        nodes.list(&listed(601_000, &[]));
        assert_eq!(states(&mut nodes, 601_000), [PresenceState::Forgotten]);
    }

    #[test]
    fn a_report_that_the_run_before_has_left_is_not_one_of_a_second_process() {
        let mut nodes = KnownNodes::default();
        nodes.list(&listed(0, &[("pod-7", 0)]));
        let card = NodeCard { protocol: 1, run: "b".to_owned(), ..NodeCard::default() };
        let card = form::write(&card, form::MAX_BYTES);
        nodes.read("pod-7", report("a", 1_000), START_MS);
        nodes.read("pod-7", (card.clone(), report("a", 1_000).1), START_MS + 1_000);
        nodes.read("pod-7", (card, report("b", 1_000).1), START_MS + 2_000);
        let node = nodes.view(START_MS + 2_000).nodes.remove(0);
        assert!(!node.is_two_processes);
        assert_eq!(node.report.unwrap().run, "b");
    }

    #[test]
    fn after_redis_has_lost_its_data_nobody_has_left() {
        let mut nodes = KnownNodes::default();
        nodes.list(&listed(0, &[("a", 0)]));
        nodes.list(&NodeListing { has_want: false, ..listed(1_000, &[]) });
        assert_eq!(states(&mut nodes, 1_000), [PresenceState::Up]);
        nodes.list(&listed(4_000, &[]));
        assert_eq!(states(&mut nodes, 4_000), [PresenceState::Up], "it may come back");
        nodes.list(&listed(17_000, &[]));
        assert_eq!(states(&mut nodes, 17_000), [PresenceState::Left]);
    }

    #[test]
    fn after_redis_was_away_nodes_have_time_to_beat_before_they_are_lost() {
        let mut nodes = KnownNodes::default();
        nodes.list(&listed(0, &[("a", 0), ("b", 0)]));
        assert_eq!(states(&mut nodes, 0), [PresenceState::Up; 2]);
        nodes.list(&listed(60_000, &[("a", 0), ("b", 0)]));
        assert_eq!(states(&mut nodes, 60_000), [PresenceState::Late; 2]);
        for at_ms in (61_000..=69_000).step_by(1_000) {
            nodes.list(&listed(at_ms, &[("a", at_ms), ("b", 0)]));
            assert_eq!(states(&mut nodes, at_ms), [PresenceState::Up, PresenceState::Late]);
        }
        nodes.list(&listed(70_001, &[("a", 70_000), ("b", 0)]));
        assert_eq!(states(&mut nodes, 70_001), [PresenceState::Up, PresenceState::Lost]);
    }

    #[test]
    fn two_processes_under_one_id_are_told_from_one_that_was_started_again() {
        let mut nodes = KnownNodes::default();
        nodes.list(&listed(0, &[("pod-7", 0)]));
        let mut tells = |run: &str, at_ms: u64| {
            nodes.read("pod-7", report(run, 1_000), START_MS + at_ms);
            nodes.view(START_MS + at_ms).nodes[0].is_two_processes
        };
        assert!(!tells("a", 0) && !tells("a", 1_000));
        assert!(!tells("b", 2_000), "it was started again");
        assert!(tells("a", 3_000), "the first one still runs");
        assert!(tells("a", 62_000));
        assert!(!tells("a", 64_000), "it is over");
    }

    #[test]
    fn what_cannot_be_read_says_why_and_the_last_numbers_stay() {
        let mut nodes = KnownNodes::default();
        nodes.list(&listed(0, &[("pod-7", 0)]));
        nodes.read("pod-7", report("a", 1_000), START_MS);
        nodes.read("pod-7", (Some(b"garbage".to_vec()), None), START_MS);
        let node = nodes.view(START_MS).nodes.remove(0);
        assert_eq!(node.unreadable, Some(FormError::Later { found: b'g' }));
        assert_eq!(node.report.unwrap().run, "a");
        let card = NodeCard { protocol: 7, ..NodeCard::default() };
        nodes.read("pod-7", (form::write(&card, form::MAX_BYTES), None), START_MS);
        let said = nodes.view(START_MS).nodes[0].unreadable.clone().unwrap().to_string();
        let expected =
            "read fleet protocol 7: this release speaks protocol 1, a newer one is needed";
        assert_eq!(said, expected);
    }
}
