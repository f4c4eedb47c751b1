use strata_report::{Alert, Frame, NodeReport, Point, Severity, TaskReport};

use crate::nodes::FleetTick;

/// How many nodes of one program or one namespace there should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedNodes {
    /// The program, as its nodes call it, or the namespace.
    pub app: String,
    /// How many of them should be up.
    pub nodes: u64,
}

/// What the lints look at: the newest second, and the minutes before.
pub(crate) struct View<'a> {
    /// Without its alerts.
    pub(crate) frame: &'a Frame,
    pub(crate) nodes: &'a [&'a NodeReport],
    /// The background tasks of the program that queries.
    pub(crate) tasks: &'a [TaskReport],
    /// Nodes that were heard once, the silent ones included.
    pub(crate) known_nodes: &'a [String],
    /// The last minutes of a cache, second by second.
    pub(crate) minutes: &'a dyn Fn(&str) -> Vec<Point>,
    /// Where the nodes are elsewhere: how they are heard.
    pub(crate) fleet: Option<&'a FleetTick>,
    /// How many of them there should be.
    pub(crate) expected: &'a [ExpectedNodes],
}

/// An alert about no cache and no node yet.
pub(super) fn alert(lint: &str, severity: Severity, what: String) -> Alert {
    Alert { lint: lint.to_owned(), severity, what, ..Alert::default() }
}

/// So many of so many, in percent, never rounded up to all.
pub(super) fn percent(part: u64, whole: u64) -> u64 {
    (part * 100).checked_div(whole).unwrap_or(0)
}

/// Seconds, minutes or hours, whichever is readable.
pub(super) fn duration(ms: u64) -> String {
    match ms / 1_000 {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => format!("{} min", s / 60),
        s => format!("{} h", s / 3_600),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use strata_report::{
        BusReport, CacheFrame, CacheReport, L2Report, RedisState, WriteBehindKind,
        WriteBehindReport,
    };

    use super::*;

    /// A durable write-behind of `users`, with nothing the matter.
    pub(in crate::alerts) fn durable() -> WriteBehindReport {
        WriteBehindReport {
            cache: "users".to_owned(),
            kind: WriteBehindKind::Durable,
            capacity: 100,
            interval_ms: 200,
            ..WriteBehindReport::default()
        }
    }

    /// One node with one cache, over Redis, with nothing the matter.
    pub(in crate::alerts) struct Sound {
        pub(in crate::alerts) frame: Frame,
        pub(in crate::alerts) nodes: Vec<NodeReport>,
        pub(in crate::alerts) tasks: Vec<TaskReport>,
        pub(in crate::alerts) known_nodes: Vec<String>,
        pub(in crate::alerts) minutes: Vec<Point>,
        pub(in crate::alerts) fleet: Option<FleetTick>,
        pub(in crate::alerts) expected: Vec<ExpectedNodes>,
    }

    impl Sound {
        pub(in crate::alerts) fn new() -> Self {
            let report = CacheReport { cache: "users".to_owned(), ..CacheReport::default() };
            let node = NodeReport {
                node: "1".to_owned(),
                version: "1".to_owned(),
                started_at_ms: 0,
                at_ms: 60_000,
                bus: BusReport {
                    configured: true,
                    connected: true,
                    heard_at_ms: Some(59_900),
                    ..BusReport::default()
                },
                l2: L2Report { configured: true, ..L2Report::default() },
                tasks: Vec::new(),
                caches: vec![report.clone()],
                ..NodeReport::default()
            };
            let redis = RedisState {
                configured: true,
                up: true,
                used_memory_bytes: Some(1_000_000),
                max_memory_bytes: Some(100_000_000),
                policy: Some("allkeys-lru".to_owned()),
                ..RedisState::default()
            };
            let caches = vec![CacheFrame { report, ..CacheFrame::default() }];
            let frame = Frame { at_ms: 60_000, caches, redis, ..Frame::default() };
            let (nodes, known_nodes) = (vec![node], vec!["1".to_owned()]);
            Self {
                frame,
                nodes,
                tasks: Vec::new(),
                known_nodes,
                minutes: Vec::new(),
                fleet: None,
                expected: Vec::new(),
            }
        }

        pub(in crate::alerts) fn cache(&mut self) -> &mut CacheFrame {
            &mut self.frame.caches[0]
        }

        pub(in crate::alerts) fn found_by(&self, lint: fn(&View<'_>) -> Vec<Alert>) -> Vec<Alert> {
            let found = lint(&View {
                frame: &self.frame,
                nodes: &self.nodes.iter().collect::<Vec<_>>(),
                tasks: &self.tasks,
                known_nodes: &self.known_nodes,
                minutes: &|_| self.minutes.clone(),
                fleet: self.fleet.as_ref(),
                expected: &self.expected,
            });
            for alert in &found {
                for sentence in [&alert.what, &alert.why, &alert.what_to_do] {
                    assert!(sentence.ends_with('.'), "{alert:?}");
                }
            }
            found
        }
    }

    #[test]
    fn where_nothing_is_the_matter_no_lint_says_anything() {
        assert_eq!(Sound::new().found_by(crate::alerts::all), []);
    }
}
