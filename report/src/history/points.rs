use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Cause, Evictions, Outcome, Outcomes};

/// One step of a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Point {
    /// When the step ended, milliseconds since the epoch.
    pub at_ms: u64,
    /// How long it was, milliseconds.
    pub span_ms: u64,
    /// How reads ended in it.
    #[serde(serialize_with = "outcome_counts", deserialize_with = "to_outcomes")]
    #[cfg_attr(feature = "openapi", schema(value_type = [u64; 8]))]
    pub outcomes: Outcomes,
    /// What left L1 in it.
    #[serde(serialize_with = "eviction_counts", deserialize_with = "to_evictions")]
    #[cfg_attr(feature = "openapi", schema(value_type = [u64; 5]))]
    pub evictions: Evictions,
}

impl Point {
    /// Adds another cache's step of the same instant, or the next step in time.
    pub fn merge(&mut self, other: &Self) {
        self.outcomes += other.outcomes;
        self.evictions += other.evictions;
    }
}

/// Steps of a chart, oldest first. Where two lie further apart than the step, there is a gap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct History {
    /// The length of a full step, milliseconds.
    pub step_ms: u64,
    /// The steps.
    pub points: Vec<Point>,
}

// A chart has hundreds of points, so a point spells its counts without names on the wire.
fn outcome_counts<S: Serializer>(outcomes: &Outcomes, serializer: S) -> Result<S::Ok, S::Error> {
    Outcome::ALL.map(|outcome| outcomes.get(outcome)).serialize(serializer)
}

fn to_outcomes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Outcomes, D::Error> {
    <[u64; 8]>::deserialize(deserializer).map(Outcomes::from_counts)
}

fn eviction_counts<S: Serializer>(evictions: &Evictions, serializer: S) -> Result<S::Ok, S::Error> {
    Cause::ALL.map(|cause| evictions.get(cause)).serialize(serializer)
}

fn to_evictions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Evictions, D::Error> {
    <[u64; 5]>::deserialize(deserializer).map(Evictions::from_counts)
}
