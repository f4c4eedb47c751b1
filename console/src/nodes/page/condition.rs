//! How a node is: what its row says, and by that where it is counted.

use strata_report::{
    BusReport, L2Report, NodePresence, NodeReport, NodeRow, PresenceState, TaskReport, TaskState,
};

/// How a node is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeCondition {
    /// It is not heard.
    Lost,
    /// It is heard, and something is the matter with it.
    Trouble,
    /// It has not beaten for a while.
    Late,
    /// It is there and has not reported yet.
    Starting,
    /// All is well.
    Well,
}

impl NodeCondition {
    /// Every condition, the worst first.
    pub const ALL: [Self; 5] = [Self::Lost, Self::Trouble, Self::Late, Self::Starting, Self::Well];

    /// The condition of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// Its name in addresses and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Trouble => "trouble",
            Self::Late => "late",
            Self::Starting => "starting",
            Self::Well => "well",
        }
    }
}

/// What a node's row says of it. Where several things hold, the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeStatus {
    /// It runs elsewhere and has not beaten for too long.
    Lost,
    /// It runs in this process and does not report.
    NoReport,
    /// What it says of itself, or its report, cannot be read.
    Unreadable,
    /// Two processes call themselves by its id.
    TwoProcesses,
    /// It does not hear the bus.
    BusSilent,
    /// It skips Redis.
    BreakerOpen,
    /// One of its background tasks does not run.
    TaskDown,
    /// It has not beaten for a while.
    Late,
    /// It beats and has not reported yet.
    Starting,
    /// All is well.
    Healthy,
}

impl NodeStatus {
    /// What a row says.
    pub fn of(row: &NodeRow) -> Self {
        let reported = row.heard.then(|| Self::reported(&row.bus, &row.l2, &row.tasks));
        Self::heard_as(row.presence.as_ref(), reported)
    }

    /// What the row of a node will say; `report` is its newest one, where it is heard.
    pub(super) fn of_node(presence: Option<&NodePresence>, report: Option<&NodeReport>) -> Self {
        let reported = report.map(|report| Self::reported(&report.bus, &report.l2, &report.tasks));
        Self::heard_as(presence, reported)
    }

    /// Where a node is counted whose row says this.
    pub const fn condition(self) -> NodeCondition {
        match self {
            Self::Lost | Self::NoReport => NodeCondition::Lost,
            Self::Unreadable
            | Self::TwoProcesses
            | Self::BusSilent
            | Self::BreakerOpen
            | Self::TaskDown => NodeCondition::Trouble,
            Self::Late => NodeCondition::Late,
            Self::Starting => NodeCondition::Starting,
            Self::Healthy => NodeCondition::Well,
        }
    }

    fn heard_as(presence: Option<&NodePresence>, reported: Option<Self>) -> Self {
        let Some(presence) = presence else { return reported.unwrap_or(Self::NoReport) };
        if !presence.state.counts() {
            return Self::Lost;
        }
        if presence.unreadable.is_some() {
            return Self::Unreadable;
        }
        if presence.is_two_processes {
            return Self::TwoProcesses;
        }
        match reported {
            None | Some(Self::Healthy) if presence.state == PresenceState::Late => Self::Late,
            None => Self::Starting,
            Some(status) => status,
        }
    }

    fn reported(bus: &BusReport, l2: &L2Report, tasks: &[TaskReport]) -> Self {
        let runs = |task: &TaskReport| task.runs() || task.state == TaskState::Stopped;
        match () {
            () if bus.configured && !bus.connected => Self::BusSilent,
            () if l2.breaker_open => Self::BreakerOpen,
            () if !tasks.iter().all(runs) => Self::TaskDown,
            () => Self::Healthy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(state: PresenceState) -> NodeRow {
        let presence = NodePresence { state, ..NodePresence::default() };
        NodeRow { heard: true, presence: Some(presence), ..NodeRow::default() }
    }

    fn with(row: NodeRow, change: impl FnOnce(&mut NodePresence)) -> NodeRow {
        let mut presence = row.presence.clone().unwrap_or_default();
        change(&mut presence);
        NodeRow { presence: Some(presence), ..row }
    }

    #[test]
    fn what_cannot_be_read_is_trouble_and_what_is_not_heard_is_lost() {
        let unreadable = |row| with(row, |at| at.unreadable = Some("read the JSON".to_owned()));
        let silent = |row: NodeRow| NodeRow { heard: false, ..row };
        let up = row(PresenceState::Up);
        for row in [unreadable(up.clone()), unreadable(silent(up.clone()))] {
            assert_eq!(NodeStatus::of(&row), NodeStatus::Unreadable);
            assert_eq!(NodeStatus::of(&row).condition(), NodeCondition::Trouble);
        }
        let lost = unreadable(row(PresenceState::Lost));
        assert_eq!(NodeStatus::of(&lost), NodeStatus::Lost, "whatever else it is");
        let here = NodeRow::default();
        assert_eq!(NodeStatus::of(&here).condition(), NodeCondition::Lost);
    }

    #[test]
    fn one_that_has_just_started_is_not_late_and_one_that_is_late_is() {
        let without_report = |state| NodeRow { heard: false, ..row(state) };
        let status = |row: &NodeRow| NodeStatus::of(row);
        assert_eq!(status(&without_report(PresenceState::Up)), NodeStatus::Starting);
        assert_eq!(status(&without_report(PresenceState::Late)), NodeStatus::Late);
        assert_eq!(status(&row(PresenceState::Late)), NodeStatus::Late);
        assert_eq!(status(&row(PresenceState::Up)), NodeStatus::Healthy);
    }

    #[test]
    fn a_node_that_skips_redis_or_is_two_does_not_say_that_all_is_well() {
        let mut skips = row(PresenceState::Late);
        skips.l2.breaker_open = true;
        assert_eq!(NodeStatus::of(&skips), NodeStatus::BreakerOpen);
        let two = with(row(PresenceState::Up), |at| at.is_two_processes = true);
        assert_eq!(NodeStatus::of(&two), NodeStatus::TwoProcesses);
    }

    #[test]
    fn a_row_and_the_node_that_it_is_of_say_the_same() {
        let mut report = NodeReport::default();
        report.bus.configured = true;
        let presence = NodePresence { state: PresenceState::Up, ..NodePresence::default() };
        let of_row = NodeRow { bus: report.bus.clone(), ..row(PresenceState::Up) };
        let of_node = NodeStatus::of_node(Some(&presence), Some(&report));
        assert_eq!((of_node, NodeStatus::of(&of_row)), (NodeStatus::BusSilent, of_node));
    }
}
