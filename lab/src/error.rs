use strata_cache::BuildError;
use strata_demo::StoreError;

use super::SettingsError;

/// Why no run was started.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// The settings make no experiment possible.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// As many as can run at once are running.
    #[error("start one more experiment: {0} are running; try again when one has ended")]
    Busy(usize),
    /// More contenders than fit side by side, or none.
    #[error("compare {0}: from 1 to {max} are possible", max = crate::Lab::MAX_CONTENDERS)]
    Contenders(usize),
    /// The lesson needs Redis.
    #[error("run this lesson without Redis: start strata with one")]
    NeedsRedis,
}

/// Why a performance did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// Somebody stopped it, or nobody waits for it any more.
    #[error("go on: the experiment was stopped")]
    Stopped,
    /// It took too long.
    #[error("end in time: the experiment was stopped")]
    TookTooLong,
    /// Every node was killed.
    #[error("ask a node: all were killed")]
    NodesDown,
    /// A node has not heard of an invalidation for too long.
    #[error("hear of an invalidation in time")]
    Deaf,
    /// A node does not trust Redis again for too long.
    #[error("reach Redis again in time")]
    StillAway,
    /// Nothing lies between the nodes and Redis that could be cut.
    #[error("cut Redis off: it is not there, or nothing can be put between")]
    NoWire,
    /// A node or cache could not be built.
    #[error("set the stage")]
    Build(#[from] BuildError),
    /// The strategy makes no sense without Redis.
    #[error("set the stage: this strategy needs Redis")]
    NeedsRedis,
    /// The table could not be made or read.
    #[error("keep the table")]
    Table(#[from] StoreError),
    /// A mistake of ours.
    #[error("go on: the script panicked")]
    Panicked,
}

/// Why there is nothing to compare.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ComparisonError {
    /// Fewer than two, or more than fit side by side.
    #[error("compare {0}: from 2 to {max} strategies are possible", max = crate::Lab::MAX_CONTENDERS)]
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

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::io;

    use strata_cache::{StructureError, WriteError};

    use super::*;
    use crate::SourceError;
    use crate::strategies::ChangeError;

    fn table() -> StoreError {
        StoreError::Dir(io::Error::other("it is read-only"))
    }

    fn with_a_source() -> Vec<Box<dyn Error>> {
        vec![
            Box::new(SourceError::from(table())),
            Box::new(ChangeError::from(SourceError::from(table()))),
            Box::new(ChangeError::from(WriteError::Away)),
            Box::new(ChangeError::from(StructureError::Away)),
            Box::new(PlayError::from(table())),
            Box::new(PlayError::from(BuildError::BadName("?".to_owned()))),
            Box::new(LabError::from(SettingsError::Unknown("speed".to_owned()))),
        ]
    }

    #[test]
    fn no_error_says_what_its_source_says() {
        for error in with_a_source() {
            let mut error: &dyn Error = &*error;
            while let Some(source) = error.source() {
                let (said, again) = (error.to_string(), source.to_string());
                assert!(!said.contains(&again), "{said:?} repeats {again:?}");
                error = source;
            }
        }
    }
}
