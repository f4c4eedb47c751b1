//! How often nodes elsewhere are read.

use std::time::Duration;

/// How often a console reads what nodes elsewhere report, and has them report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pace {
    /// Once a second: somebody looks at them.
    #[default]
    Watched,
    /// Every five seconds, which costs little: their history goes on, and whoever begins to look
    /// sees numbers at once.
    Unwatched,
    /// Never, and nothing is asked of them: none of them is known. Their history has a gap.
    Asleep,
}

impl Pace {
    /// The time between two reads; `None` where there are none.
    pub(super) fn interval(self) -> Option<Duration> {
        match self {
            Self::Watched => Some(Duration::from_secs(1)),
            Self::Unwatched => Some(Duration::from_secs(5)),
            Self::Asleep => None,
        }
    }
}
