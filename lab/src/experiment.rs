use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Pace, PlayError, Settings, Stage};
use crate::StrategyKind;

/// What a run performs: one script, once for each contender, each on a stage of its own.
#[derive(Clone)]
pub struct Experiment {
    /// What is compared, in the order of the rows.
    pub contenders: Vec<Contender>,
    /// The script.
    pub play: Play,
}

/// One of those that are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contender {
    /// Its name on a screen.
    pub title: String,
    /// What it does.
    pub strategy: StrategyKind,
    /// What it does it with.
    pub settings: Settings,
}

/// A script.
pub type Play = Arc<dyn Fn(Arc<Stage>) -> Playing + Send + Sync>;

/// A script that is being played.
pub type Playing = Pin<Box<dyn Future<Output = Result<(), PlayError>> + Send>>;

/// What somebody asks the lab for.
#[derive(Clone)]
pub struct Order {
    /// The lesson's name in addresses, or what else it is about.
    pub topic: String,
    /// What is performed.
    pub experiment: Experiment,
    /// What was set for all contenders.
    pub settings: Settings,
    /// How it goes through its steps.
    pub pace: Pace,
    /// What was predicted: which answer, from 0.
    pub guess: Option<usize>,
    /// Whoever orders twice with the same ticket gets the same run. Empty is no ticket.
    pub ticket: String,
}

impl Experiment {
    /// Whether it makes no sense without Redis.
    pub(super) fn needs_redis(&self) -> bool {
        self.contenders.iter().any(|each| each.settings.nodes > 1 || each.strategy.needs_redis())
    }
}
