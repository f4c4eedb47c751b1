use strata_report::{Frame, Window};

/// How a service is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceState {
    /// Nodes of it are heard.
    Up,
    /// No node of it is known.
    NoData,
    /// All of its nodes are lost.
    Lost,
    /// Its Redis cannot be reached, since so many milliseconds.
    Unheard {
        /// Since it was heard last, or since the program started, milliseconds.
        ms: u64,
        /// Whether it was ever heard.
        was_heard: bool,
    },
}

impl ServiceState {
    /// Of the service that this frame is of.
    pub fn of(frame: &Frame) -> Self {
        let fleet = frame.fleet.clone().unwrap_or_default();
        match (fleet.unheard_ms, fleet.of, fleet.counted) {
            (Some(ms), ..) => Self::Unheard { ms, was_heard: fleet.was_heard },
            (None, 0, _) => Self::NoData,
            (None, _, 0) => Self::Lost,
            (None, ..) => Self::Up,
        }
    }

    /// As programs read it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::NoData => "no_data",
            Self::Lost => "lost",
            Self::Unheard { .. } => "unheard",
        }
    }

    /// What there is to say beside the numbers.
    pub(super) fn sentence(&self, redis: Option<&str>) -> Option<String> {
        Some(match self {
            Self::Up => return None,
            Self::NoData => "No data: none of its nodes is heard.".to_owned(),
            Self::Lost => "All of its nodes are lost.".to_owned(),
            Self::Unheard { ms, was_heard } => {
                let redis = redis.map(|name| format!(" {name}")).unwrap_or_default();
                let s = ms / 1_000;
                if *was_heard {
                    format!("I cannot reach Redis{redis}; last heard {s} s ago.")
                } else {
                    format!("I cannot reach Redis{redis}; nothing was heard for {s} s.")
                }
            }
        })
    }
}

/// The reads of all caches of a service in its last seconds.
pub fn recent_reads(frame: &Frame) -> Window {
    let mut sum = Window::default();
    for cache in frame.own_caches() {
        sum.merge(&cache.recent);
    }
    sum
}

#[cfg(test)]
mod tests {
    use strata_report::FleetSums;

    use super::*;

    fn state(counted: u64, of: u64, unheard_ms: Option<u64>) -> ServiceState {
        let fleet = FleetSums { counted, of, unheard_ms, was_heard: true, ..FleetSums::default() };
        ServiceState::of(&Frame { fleet: Some(fleet), ..Frame::default() })
    }

    #[test]
    fn what_cannot_be_heard_is_neither_lost_nor_without_data() {
        assert_eq!(
            state(0, 3, Some(12_345)),
            ServiceState::Unheard { ms: 12_345, was_heard: true }
        );
        assert_eq!(state(0, 3, None), ServiceState::Lost);
        assert_eq!(state(0, 0, None), ServiceState::NoData);
        assert_eq!(state(1, 3, None), ServiceState::Up);
        let said = state(0, 3, Some(12_345)).sentence(Some("eu")).unwrap();
        assert_eq!(said, "I cannot reach Redis eu; last heard 12 s ago.");
        let never = ServiceState::Unheard { ms: 4_000, was_heard: false };
        assert_eq!(
            never.sentence(None).unwrap(),
            "I cannot reach Redis; nothing was heard for 4 s."
        );
    }
}
