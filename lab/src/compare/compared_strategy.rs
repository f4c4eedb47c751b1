use crate::runs::Experiment;
use crate::sandbox::Contender;
use crate::settings::{Settings, SettingsError};
use crate::strategies::StrategyKind;

/// One of those that are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct ComparedStrategy {
    /// What it does.
    pub strategy: StrategyKind,
    /// What is set for it alone, by name.
    pub own: Vec<(String, String)>,
}

/// Why there is nothing to compare.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ComparisonError {
    /// Fewer than two, or more than fit side by side.
    #[error("compare {0}: from 2 to {max} strategies are possible", max = Experiment::MAX_CONTENDERS)]
    Count(usize),
    /// There is no such strategy.
    #[error("find a strategy named {0:?}")]
    Strategy(String),
    /// A setting of one that does not take part.
    #[error("set {0}: no strategy is named for it")]
    Nobody(String),
    /// The requests must be the same for all.
    #[error("set {0} for one alone: all get the same requests")]
    Shared(String),
    /// A setting makes no sense.
    #[error(transparent)]
    Settings(#[from] SettingsError),
}

/// What the requests depend on.
const SHARED: [&str; 5] = ["seed", "requests", "items", "skew", "write_share"];

impl ComparedStrategy {
    pub(super) fn contender(&self, shared: &Settings) -> Result<Contender, ComparisonError> {
        let mut settings = shared.clone();
        for (name, text) in &self.own {
            if SHARED.contains(&name.as_str()) {
                return Err(ComparisonError::Shared(name.clone()));
            }
            settings.set(name, text)?;
        }
        settings.check()?;
        let own = self.own.iter().map(|(name, text)| format!("{} {text}", said(name)));
        let words: Vec<String> =
            std::iter::once(self.strategy.title().to_owned()).chain(own).collect();
        Ok(Contender { title: words.join(", "), strategy: self.strategy, settings })
    }
}

// A setting's name as people write it.
fn said(name: &str) -> String {
    name.replace('_', " ").replace("l1", "L1").replace("l2", "L2")
}
