use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::AskCounts;
use crate::{NodeId, NodeReport};

/// What a node says of itself: who it is and what it lets a console do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct NodeCard {
    /// The protocol that it speaks.
    pub protocol: u32,
    /// Its id, unique within the namespace.
    pub node: NodeId,
    /// Random, made at each start: counters of two runs have nothing to do with each other.
    pub run: String,
    /// The program that runs it; empty where it has not said.
    pub app: String,
    /// That program's version.
    pub version: String,
    /// The version of `strata-cache`.
    pub strata: String,
    /// The environment it belongs to, for example `production`; empty where it has not said.
    pub environment: String,
    /// The machine or container it runs on.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// When it started, milliseconds since the epoch by its own clock.
    pub started_at_ms: u64,
    /// The names of its caches, in the order in which they were built.
    pub caches: Vec<String>,
    /// What its service says of it.
    pub labels: BTreeMap<String, String>,
    /// The kinds of asks that it answers.
    pub can: Vec<String>,
    /// What it lets a console do.
    pub policy: FleetPolicy,
    /// Whether it answers signed asks alone.
    pub signed: bool,
    /// How often it beats at present, milliseconds.
    pub interval_ms: u64,
}

/// What a node lets a console do beyond reading its reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct FleetPolicy {
    /// It looks into its L1: keys, ages, sizes, counts, events.
    pub looks: bool,
    /// It shows values.
    pub values: bool,
    /// It loads from the source.
    pub refreshes: bool,
    /// It queues dead letters again and drops them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub moves_dead_letters: bool,
}

/// A node at the instant of one beat.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct FleetReport {
    /// The protocol that it speaks.
    pub protocol: u32,
    /// The node's run. All counters are of this run.
    pub run: String,
    /// How often it has beaten in this run.
    pub beat: u64,
    /// How often it beats at present, milliseconds.
    pub interval_ms: u64,
    /// The number of the last message of the bus that the node has acted on.
    pub acted_on: u64,
    /// The node. Its caches go without their details but for those that are wanted.
    pub report: NodeReport,
    /// The caches whose details are in it: groups, hot and missed keys, other capacities, ages.
    pub detailed: Vec<String>,
    /// How many caches were left out, last by name, because the report was too large.
    pub cut: u64,
    /// What became of the asks that reached it.
    pub asks: AskCounts,
}
