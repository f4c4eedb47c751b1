use serde::{Deserialize, Serialize};

/// How bad it is. The order is the one of badness.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing is lost.
    #[default]
    Notice,
    /// Costs something, or will soon.
    Warning,
    /// Costs something now, or readers may see what is out of date.
    Critical,
}

impl Severity {
    /// The text of the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// Something that an operator should look at, worked out from the reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alert {
    /// Its stable name, for example `breaker_open`.
    pub lint: String,
    /// How bad it is.
    pub severity: Severity,
    /// The cache; empty where it is about none.
    pub cache: String,
    /// The node; empty where it is about none.
    pub node: String,
    /// What is the matter, as a sentence with its figures.
    pub what: String,
    /// Why that is bad, as a sentence.
    pub why: String,
    /// What to do, as a sentence.
    pub what_to_do: String,
}

/// How many alerts there are and how bad the worst is, in every frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = AlertsHead))]
pub struct AlertSummary {
    /// How many there are.
    pub count: u64,
    /// The worst; `None` where there is none.
    pub worst: Option<Severity>,
}

impl AlertSummary {
    /// Of these alerts.
    pub fn of(alerts: &[Alert]) -> Self {
        let worst = alerts.iter().map(|alert| alert.severity).max();
        Self { count: alerts.len() as u64, worst }
    }
}
