use serde::{Deserialize, Serialize};

/// A write that the source refused as often as allowed, or that could not be read: it was
/// acknowledged and is not in effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DeadLetterRow {
    /// Its id, which names it among the dead letters of its cache and, in memory, of its node.
    pub id: String,
    /// The node that keeps it; empty where it lies in Redis, for all nodes.
    pub node: String,
    /// The text of its key.
    pub key: String,
    /// Its value as JSON; `None` where it cannot be read, or is not shown.
    pub value: Option<String>,
    /// Its row version.
    pub version: u64,
    /// How often it was sent.
    pub tries: u32,
    /// Why it is one: what the sink said last; empty where it is not shown.
    pub reason: String,
    /// Since when, milliseconds since the epoch.
    pub since_ms: u64,
}

/// Which dead letters are meant: those that fit every field that is set; all where none is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(default)]
pub struct DeadLetterQuery {
    /// The one with this id.
    pub id: Option<String>,
    /// Those that this node keeps in memory. Of the durable kind all nodes keep the same.
    pub node: Option<String>,
    /// A glob on the key.
    pub key: Option<String>,
    /// A part of the reason, in either case.
    pub reason: Option<String>,
    /// Set aside at this time or later, milliseconds since the epoch.
    pub from_ms: Option<u64>,
    /// Set aside before this time, milliseconds since the epoch.
    pub until_ms: Option<u64>,
}

/// One page of dead letters, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DeadLetterPage {
    /// Those that match. A page may be short, or empty, where few match: go on while `next` is set.
    pub rows: Vec<DeadLetterRow>,
    /// Where to go on; `None` at the end.
    pub next: Option<String>,
    /// How many dead letters there are, whether they match or not.
    pub total: u64,
    /// When they were looked at, milliseconds since the epoch, by the clock that says since when
    /// they are dead letters. What is set aside later is on no page; `None` where it is not known.
    pub until_ms: Option<u64>,
    /// Who did not answer, as a sentence. Left out where all nodes have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partial: Option<String>,
}

/// What is done with dead letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum DeadLetterAction {
    /// They are queued again, for the sink to try.
    #[default]
    Redrive,
    /// They are forgotten: the writes are lost.
    Drop,
}

impl DeadLetterAction {
    /// The text of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redrive => "redrive",
            Self::Drop => "drop",
        }
    }
}

/// What was done with dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DeadLetterResult {
    /// Queued again.
    pub redriven: u64,
    /// Forgotten instead of queued again, because a newer value of their key waits.
    pub superseded: u64,
    /// Forgotten, as asked.
    pub dropped: u64,
    /// Looked at, whether they matched or not.
    pub examined: u64,
    /// Dead letters that are there afterwards, whether they match or not.
    pub left: u64,
    /// Where to go on; `None` where all that were there when it began have been looked at.
    pub next: Option<String>,
}

impl DeadLetterResult {
    /// Adds the next step of the same work.
    pub fn then(&mut self, step: Self) {
        self.redriven += step.redriven;
        self.superseded += step.superseded;
        self.dropped += step.dropped;
        self.examined += step.examined;
        (self.left, self.next) = (step.left, step.next);
    }
}

/// Work on the dead letters of one cache: running, or as it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct DeadLetterJob {
    /// The cache.
    pub cache: String,
    /// What is done.
    pub action: DeadLetterAction,
    /// With which of them.
    pub query: DeadLetterQuery,
    /// Who asked for it.
    pub actor: String,
    /// What was done so far. Its `left` counts the dead letters of all nodes once it has ended.
    pub result: DeadLetterResult,
    /// When it began, milliseconds since the epoch.
    pub started_at_ms: u64,
    /// When it ended, milliseconds since the epoch; `None` while it runs.
    pub ended_at_ms: Option<u64>,
    /// Whether somebody asked it to stop.
    pub cancel_asked: bool,
    /// Why it ended early, as a sentence; `None` where it did not.
    pub failure: Option<String>,
}
