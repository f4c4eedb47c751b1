use serde::{Deserialize, Serialize};

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May look.
    Viewer,
    /// May look and act.
    Operator,
}

/// Who is looking, and whether they may act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Session {
    /// The name that the audit trail shows.
    pub actor: String,
    /// What they are.
    pub role: Role,
    /// Why acting is refused, as a sentence; `None` where it is allowed.
    pub refusal: Option<String>,
    /// Whether there is a token to log in with; who is an operator by it can log out.
    pub can_log_in: bool,
}

/// One line of the audit trail: something that was done or refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Its id; the newer entry has the greater one.
    #[serde(default)]
    pub id: u64,
    /// When, milliseconds since the epoch.
    pub at_ms: u64,
    /// When what was done had begun, milliseconds since the epoch.
    #[serde(default)]
    pub began_at_ms: u64,
    /// Whether it was refused.
    #[serde(default)]
    pub refused: bool,
    /// Who.
    pub actor: String,
    /// The address that they asked from; empty where it is not known.
    #[serde(default)]
    pub address: String,
    /// Whether it is about a beginning; another entry is about the end.
    #[serde(default)]
    pub begun: bool,
    /// What, for example `invalidate_key`.
    pub action: String,
    /// The cache it was about.
    pub cache: String,
    /// The key, the pattern or the job.
    pub target: String,
    /// How it ended, as a short sentence with its counts.
    pub result: String,
}

/// A part of the audit trail, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// Ask for entries before this id to go on; `None` at the end.
    pub next: Option<u64>,
    /// Entries that Redis does not have yet and that a restart would lose; without Redis, all.
    pub only_in_memory: u64,
    /// Where the trail lives.
    #[serde(default)]
    pub home: AuditHome,
}

/// Where the audit trail lives, and so whether it is there after a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AuditHome {
    /// In the memory of the program, and gone with it.
    #[default]
    Memory,
    /// In the program's own Redis, and gone with it.
    PrivateRedis,
    /// In a Redis that may evict it when memory runs short.
    EvictingRedis,
    /// In Redis: there for as long as Redis keeps its data.
    Redis,
    /// Somewhere that a newer program knows of.
    #[serde(other)]
    Other,
}
