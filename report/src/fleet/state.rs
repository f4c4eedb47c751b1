use serde::{Deserialize, Serialize};

/// How a console sees a node, by Redis's clock.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// It beats.
    Up,
    /// It has not beaten for more than two of its intervals.
    Late,
    /// It has not beaten for more than ten seconds, or three of its intervals where that is longer.
    Lost,
    /// It was shut down and said so.
    Left,
    /// It has been lost or gone for ten minutes.
    Forgotten,
    /// A state that this version does not know.
    #[default]
    #[serde(other)]
    Other,
}

impl PresenceState {
    /// The text of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Late => "late",
            Self::Lost => "lost",
            Self::Left => "left",
            Self::Forgotten => "forgotten",
            Self::Other => "other",
        }
    }

    /// Whether the node's numbers belong into sums: it is up, or no more than late.
    pub const fn counts(self) -> bool {
        matches!(self, Self::Up | Self::Late)
    }
}
