//! What a console remembers of the nodes, by Redis's clock.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use strata_report::{NodeId, PresenceState};

use super::known_node::{KnownNode, LOST_AFTER, NodeBytes};
use super::view::{FleetNode, FleetView};
use crate::clock::millis;
use crate::fleet::scripts::KEPT_MS;

/// How long a card that was read counts.
const CARD_COUNTS: Duration = Duration::from_secs(10);

/// So long after Redis has lost its data, a node that is not listed may come back.
const COMES_BACK_WITHIN: Duration = Duration::from_secs(15);

/// Where nodes were not listed for so long, Redis was away, or the console stood still.
const AWAY_AFTER: Duration = Duration::from_secs(5);

/// No node's id is longer.
const MAX_ID_BYTES: usize = 256;

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

/// Who is listed, and when each last beat.
pub(super) struct NodeListing {
    pub(super) now_ms: u64,
    /// `None` where the list could not be read.
    pub(super) beats: Option<Vec<(NodeId, f64)>>,
    /// What this console wants still lies there.
    pub(super) has_want: bool,
}

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
        if let Some(known) = self.nodes.get_mut(id) {
            known.read(bytes, now_ms);
        }
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

    /// Those that should answer.
    pub(super) fn answering(&self) -> Vec<NodeId> {
        self.up_or_late().map(|node| node.id.clone()).collect()
    }

    /// How many should answer.
    pub(super) fn n_answering(&self) -> usize {
        self.up_or_late().count()
    }

    fn up_or_late(&self) -> impl Iterator<Item = &FleetNode> {
        self.nodes.values().map(|known| &known.node).filter(|node| node.state.counts())
    }

    /// How long ago a node was heard, as of the last view.
    pub(super) fn heard_ms_ago(&self, id: &str) -> Option<u64> {
        self.nodes.get(id).map(|known| known.node.heard_ms_ago)
    }
}

#[cfg(test)]
mod tests {
    use strata_report::{FleetReport, NodeCard};

    use super::*;
    use crate::fleet::form::{self, FormError};

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
