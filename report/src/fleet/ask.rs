use serde::{Deserialize, Serialize};

use crate::NodeId;

/// What a console asks of one node or of all.
///
/// What is asked stands in `body` as JSON text, so that it is signed as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Ask {
    /// The protocol of the console.
    pub protocol: u32,
    /// Random, so that no node answers it twice.
    pub id: String,
    /// The console, which is where replies go.
    pub console: String,
    /// Whom it is for; `None` is for every node.
    pub to: Option<NodeId>,
    /// Who asks, for the audit.
    pub actor: String,
    /// What kind of ask it is, as [`AskKind::as_str`].
    pub kind: String,
    /// What is asked, as JSON text.
    pub body: String,
    /// No node answers it after this, milliseconds since the epoch by Redis's clock.
    pub deadline_ms: u64,
    /// HMAC-SHA-256 in hexadecimal digits; empty where the console has no key.
    pub signature: String,
}

/// The kinds of asks of protocol 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// One key in L1.
    LookL1,
    /// Keys in L1 that match, the first by name.
    ListL1,
    /// Which of some keys lie in L1.
    AmongL1,
    /// How many keys in L1 match.
    MatchL1,
    /// When entries of L1 expire and how large they are.
    SurveyL1,
    /// What happened to one key.
    EventsOf,
    /// The group of a key.
    GroupOf,
    /// One key in L2 with its value, which needs the node's codec.
    LookL2,
    /// Loads a key anew.
    Refresh,
    /// A cache's report with all its details.
    Details,
    /// A page of the dead letters of a cache.
    DeadLetters,
    /// One step of a redrive or a drop of dead letters.
    MoveDeadLetters,
    /// A kind that this version does not know.
    #[default]
    #[serde(other)]
    Other,
}

impl AskKind {
    /// Those that a node of this release answers.
    pub const ALL: [Self; 12] = [
        Self::LookL1,
        Self::ListL1,
        Self::AmongL1,
        Self::MatchL1,
        Self::SurveyL1,
        Self::EventsOf,
        Self::GroupOf,
        Self::LookL2,
        Self::Refresh,
        Self::Details,
        Self::DeadLetters,
        Self::MoveDeadLetters,
    ];

    /// The text of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LookL1 => "look_l1",
            Self::ListL1 => "list_l1",
            Self::AmongL1 => "among_l1",
            Self::MatchL1 => "match_l1",
            Self::SurveyL1 => "survey_l1",
            Self::EventsOf => "events_of",
            Self::GroupOf => "group_of",
            Self::LookL2 => "look_l2",
            Self::Refresh => "refresh",
            Self::Details => "details",
            Self::DeadLetters => "dead_letters",
            Self::MoveDeadLetters => "move_dead_letters",
            Self::Other => "other",
        }
    }

    /// The kind of this text; [`Other`](Self::Other) where this release has none of that name.
    pub fn of(text: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).unwrap_or_default()
    }
}

/// What one node answers to an ask.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Reply {
    /// The protocol of the node.
    pub protocol: u32,
    /// The ask's id.
    pub ask: String,
    /// The node that answers.
    pub node: NodeId,
    /// Its run.
    pub run: String,
    /// The version of its `strata-cache`.
    pub strata: String,
    /// How it ended.
    pub state: ReplyState,
    /// Why there is no answer, as a fragment that fits after "because"; empty where there is one.
    pub because: String,
    /// The answer, as JSON text; empty where there is none.
    pub body: String,
    /// Whether the walk over L1 ended before its time: there are at least as many as it says.
    pub at_least: bool,
}

/// How an ask ended on one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReplyState {
    /// The body has the answer.
    Answered,
    /// Too many asks wait on the node.
    Busy,
    /// The node does not know this kind.
    Unsupported,
    /// The node's policy or its key forbid it.
    Refused,
    /// It could not be answered: no such cache, no such key, or code that panicked.
    Failed,
    /// The answer is too large.
    Truncated,
    /// A state that this version does not know.
    #[default]
    #[serde(other)]
    Other,
}

/// What became of the asks that reached a node. Counters only grow within a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AskCounts {
    /// Answered, or failed for a reason of their own.
    pub answered: u64,
    /// No ask at all, of a later protocol, or too large.
    pub unreadable: u64,
    /// For another node, though they lay where this one reads.
    pub misdirected: u64,
    /// Past their deadline, or with one that is too far away.
    pub late: u64,
    /// Seen before.
    pub repeated: u64,
    /// Without a signature, or with one that does not fit what was asked.
    pub unsigned: u64,
    /// Refused because too many waited.
    pub busy: u64,
    /// Of a kind that the node does not know.
    pub unsupported: u64,
    /// Forbidden by the node's policy.
    pub forbidden: u64,
    /// Answers that were too large.
    pub truncated: u64,
}
