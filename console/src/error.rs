use strata_cache::{CacheError, PatternError};
use strata_report::{CacheKey, CacheName, NodeError};

const SHOWN_CHARS: usize = 64;

/// Why the console did not do what it was asked for. Each message fits after "failed to …".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsoleError {
    /// No node has a cache of this name.
    #[error("find the cache {0:?}")]
    UnknownCache(String),
    /// The text is no key of this cache.
    #[error("read {key:?} as a key of {cache}: {reason}")]
    BadKey {
        /// The cache.
        cache: String,
        /// The text, its beginning where it is long.
        key: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The text is no key pattern.
    #[error(transparent)]
    BadPattern(#[from] PatternError),
    /// No such job, or so old that it has been forgotten.
    #[error("find the invalidation {0}")]
    UnknownJob(u64),
    /// No such plan, or so old that it has been forgotten.
    #[error("find the plan {0:?}")]
    UnknownPlan(String),
    /// The plan no longer says what would happen.
    #[error("run this plan: {0}; make a new one")]
    StalePlan(String),
    /// The pattern had to be typed again, and was not, or was typed differently.
    #[error("run this plan: the pattern must be typed again, exactly")]
    NotConfirmed,
    /// It is about protected keys; the text is a whole sentence for whoever asked.
    #[error("do this: {0}")]
    Protected(String),
    /// The text is no cursor of a search.
    #[error("read the cursor of the search")]
    BadCursor,
    /// More rows than a page may have, or none.
    #[error("search with this limit: it must be between 1 and {0}")]
    BadLimit(u32),
    /// Nobody can read this cache's source.
    #[error("read the source of {0}: nobody has told how")]
    NoSource(String),
    /// The source did not answer.
    #[error("read the source: {0}")]
    SourceFailed(String),
    /// The cache is only observed, so its keys cannot be marked as stale.
    #[error("mark keys of {0} as stale: it is only observed")]
    OnlyObserved(String),
    /// The cache has no write-behind.
    #[error("find the write-behind of {0}")]
    NoWriteBehind(String),
    /// Where they lie does not answer, or the write-behind has been shut down.
    #[error("reach the dead letters of {0}")]
    DeadLettersAway(String),
    /// They are being redriven or dropped already, by somebody.
    #[error("begin with the dead letters of {0}: another run is under way")]
    DeadLettersBusy(String),
    /// Nobody has redriven or dropped any.
    #[error("find a run over the dead letters of {0:?}")]
    NoDeadLetterJob(String),
    /// A field that chooses dead letters is set and empty.
    #[error("choose dead letters by an empty {0}: leave it out to choose by it no more")]
    EmptyField(&'static str),
    /// Several nodes keep dead letters in memory, each with ids of its own. Names these nodes.
    #[error("choose a dead letter by its id alone: name its node too, one of {0}")]
    NodeNotNamed(String),
    /// The service sends no traffic of its own.
    #[error("find any traffic to change")]
    NoTraffic,
    /// A setting of the traffic is out of range; the text says which.
    #[error("{0}")]
    BadTraffic(String),
    /// Too much of it is under way. Later it is done.
    #[error("do this now: too many {what} {how}")]
    Busy {
        /// What there is too much of.
        what: &'static str,
        /// How it is in the way.
        how: &'static str,
    },
    /// A walk would take too long.
    #[error("walk over all of {0} in time")]
    TooSlow(String),
    /// Not allowed; the text is a whole sentence for whoever asked.
    #[error("do this: {0}")]
    Refused(String),
    /// The node does not answer.
    #[error("reach the node {0:?}")]
    NodeGone(String),
    /// The node has an answer and does not give it.
    #[error("ask the node {node:?}, because {because}")]
    NodeRefuses {
        /// The node.
        node: String,
        /// Why, as a fragment.
        because: String,
    },
    /// The node runs a version that does not know what was asked.
    #[error("ask the node {node:?}: it runs strata {version}, and this needs {needs}")]
    NodeTooOld {
        /// The node.
        node: String,
        /// The version of its `strata-cache`.
        version: String,
        /// The version that knows it: this one.
        needs: &'static str,
    },
    /// The node does not know what was asked, or its answer cannot be read: it runs another version.
    #[error("understand the node {0:?}: it runs another version")]
    NotUnderstood(String),
}

impl ConsoleError {
    /// When to try again what there is too much of, seconds.
    pub const BUSY_FOR_S: u64 = 5;

    /// The error as a sentence for people.
    pub fn sentence(&self) -> String {
        match self {
            Self::Refused(why) | Self::Protected(why) => why.clone(),
            Self::Busy { what, how } => {
                format!("Too many {what} {how}. Try again in {} s.", Self::BUSY_FOR_S)
            }
            other => format!("Strata failed to {other}."),
        }
    }

    /// Whether it is about the node that was asked, and not about what was asked.
    pub(crate) fn is_of_the_node(&self) -> bool {
        matches!(
            self,
            Self::NodeGone(_)
                | Self::NodeRefuses { .. }
                | Self::NodeTooOld { .. }
                | Self::NotUnderstood(_)
        )
    }

    pub(crate) fn unknown_cache(name: &str) -> Self {
        Self::UnknownCache(beginning(name))
    }

    pub(crate) fn unknown_plan(id: &str) -> Self {
        Self::UnknownPlan(beginning(id))
    }

    pub(crate) fn no_dead_letter_job(cache: &str) -> Self {
        Self::NoDeadLetterJob(beginning(cache))
    }

    pub(crate) fn node_gone(node: &str) -> Self {
        Self::NodeGone(beginning(node))
    }

    pub(crate) fn not_understood(node: &str) -> Self {
        Self::NotUnderstood(beginning(node))
    }

    /// What a node's failure to answer means.
    pub(crate) fn from_node(node: &str, error: NodeError) -> Self {
        match error {
            NodeError::UnknownCache(CacheName { cache }) => Self::unknown_cache(&cache),
            NodeError::BadKey(CacheKey { cache, key }) => {
                Self::bad_key(&cache, &key, "keys of this cache have another form")
            }
            NodeError::NoKeyText(CacheName { cache }) => {
                Self::bad_key(&cache, "", "its keys have no text")
            }
            NodeError::OnlyObserved(CacheName { cache }) => Self::OnlyObserved(cache),
            NodeError::NoLoader(CacheName { cache }) => Self::NoSource(cache),
            NodeError::NoWriteBehind(CacheName { cache }) => Self::NoWriteBehind(cache),
            NodeError::DeadLettersAway(CacheName { cache }) => Self::DeadLettersAway(cache),
            NodeError::SourceFailed { why } => Self::SourceFailed(why),
            NodeError::Gone { node } => Self::node_gone(&node),
            NodeError::Refused { because } => Self::NodeRefuses { node: beginning(node), because },
            NodeError::Unsupported { version } if !version.is_empty() => Self::NodeTooOld {
                node: beginning(node),
                version: beginning(&version),
                needs: env!("CARGO_PKG_VERSION"),
            },
            // The console parsed the pattern before it asked.
            NodeError::BadPattern { .. } | NodeError::Unsupported { .. } | NodeError::Other => {
                Self::not_understood(node)
            }
        }
    }

    pub(crate) fn bad_key(cache: &str, key: &str, reason: &'static str) -> Self {
        Self::BadKey { cache: cache.to_owned(), key: beginning(key), reason }
    }
}

impl From<CacheError> for ConsoleError {
    fn from(error: CacheError) -> Self {
        match error {
            CacheError::UnknownCache(name) => Self::UnknownCache(name),
            CacheError::BadKey { cache, key } => {
                Self::bad_key(&cache, &key, "keys of this cache have another form")
            }
            CacheError::OnlyObserved(cache) => Self::OnlyObserved(cache),
            CacheError::NoWriteBehind(cache) => Self::NoWriteBehind(cache),
            CacheError::DeadLettersAway(cache) => Self::DeadLettersAway(cache),
            CacheError::NoKeyText(cache) => Self::bad_key(&cache, "", "its keys have no text"),
        }
    }
}

// An error must not carry a megabyte that somebody typed into logs and answers.
fn beginning(text: &str) -> String {
    text.chars().take(SHOWN_CHARS).collect()
}
