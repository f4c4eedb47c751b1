use serde::{Deserialize, Serialize};

#[cfg(doc)]
use crate::NodeAnswer;
use crate::{AskKind, DeadLetterAction, DeadLetterQuery};

/// What a console asks of one node: what only that node's process can answer.
///
/// On the wire it is the body of an [`Ask`](crate::Ask), whose kind is [`NodeRequest::kind`]:
/// `{"kind": "look_l1", "cache": "users", "key": "1"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum NodeRequest {
    /// One key in its L1, without disturbing the cache. Answer: [`NodeAnswer::Entry`].
    LookL1(CacheKey),
    /// One key in L2 with its value, which needs the cache's codec. Answer: [`NodeAnswer::L2`].
    LookL2(CacheKey),
    /// Keys in its L1 that match, in the order of their names. Answer: [`NodeAnswer::Keys`].
    ListL1(L1Query),
    /// How many keys in its L1 match, and some of them. Answer: [`NodeAnswer::Matches`].
    MatchL1(L1Query),
    /// Which of some keys lie, fresh, in its L1. Answer: [`NodeAnswer::Keys`].
    AmongL1(CacheKeys),
    /// When entries of its L1 expire, and how large they are. Answer: [`NodeAnswer::Survey`].
    SurveyL1(CacheName),
    /// What happened to one key, as far back as is kept. Answer: [`NodeAnswer::Events`].
    EventsOf(CacheKey),
    /// The group of a key. Answer: [`NodeAnswer::Group`].
    GroupOf(CacheKey),
    /// Loads a key anew from its source. Answer: [`NodeAnswer::Done`].
    Refresh(CacheKey),
    /// Removes a key from its L1 alone. Answer: [`NodeAnswer::Done`].
    DropFromL1(CacheKey),
    /// A value as its cache lets people see it. Answer: [`NodeAnswer::Value`].
    ShowValue(CacheValue),
    /// The cache's report with all its details. Answer: [`NodeAnswer::Report`].
    Details(CacheName),
    /// A page of dead letters. Answer: [`NodeAnswer::DeadLetters`].
    DeadLetters(DeadLetterRequest),
    /// One step of a redrive or a drop of dead letters, to its end. Answer:
    /// [`NodeAnswer::DeadLettersMoved`].
    MoveDeadLetters(DeadLetterMove),
    /// Something that this version does not know.
    #[serde(other)]
    Other,
}

/// A cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheName {
    /// Its name.
    pub cache: String,
}

/// One key of a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheKey {
    /// The cache.
    pub cache: String,
    /// The key's text.
    pub key: String,
}

/// Some keys of a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheKeys {
    /// The cache.
    pub cache: String,
    /// The keys' texts.
    pub keys: Vec<String>,
}

/// A value of a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CacheValue {
    /// The cache.
    pub cache: String,
    /// The value, as JSON text.
    pub value: String,
}

/// Which keys of one L1 are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct L1Query {
    /// The cache.
    pub cache: String,
    /// A glob on the key.
    pub pattern: String,
    /// Only keys after this one by name; `None` begins with the first.
    pub after: Option<String>,
    /// The most keys of the answer.
    pub limit: u64,
}

/// A page of the dead letters of a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeadLetterRequest {
    /// The cache.
    pub cache: String,
    /// Which of them. The node is the one that is asked.
    pub query: DeadLetterQuery,
    /// The `next` of the page before; `None` begins with the oldest.
    pub after: Option<String>,
    /// The most rows.
    pub limit: u64,
}

/// One step of what is done with dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeadLetterMove {
    /// The cache.
    pub cache: String,
    /// What is done.
    pub action: DeadLetterAction,
    /// With which of them. The node is the one that is asked.
    pub query: DeadLetterQuery,
    /// The `next` of the step before; `None` begins with the oldest.
    pub from: Option<String>,
}

impl NodeRequest {
    /// What kind of ask it is.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::LookL1(_) => AskKind::LookL1.as_str(),
            Self::LookL2(_) => AskKind::LookL2.as_str(),
            Self::ListL1(_) => AskKind::ListL1.as_str(),
            Self::MatchL1(_) => AskKind::MatchL1.as_str(),
            Self::AmongL1(_) => AskKind::AmongL1.as_str(),
            Self::SurveyL1(_) => AskKind::SurveyL1.as_str(),
            Self::EventsOf(_) => AskKind::EventsOf.as_str(),
            Self::GroupOf(_) => AskKind::GroupOf.as_str(),
            Self::Refresh(_) => AskKind::Refresh.as_str(),
            Self::Details(_) => AskKind::Details.as_str(),
            Self::DeadLetters(_) => AskKind::DeadLetters.as_str(),
            Self::MoveDeadLetters(_) => AskKind::MoveDeadLetters.as_str(),
            Self::DropFromL1(_) => "drop_from_l1",
            Self::ShowValue(_) => "show_value",
            Self::Other => AskKind::Other.as_str(),
        }
    }

    /// The cache that it is about; empty if that is not known.
    pub fn cache(&self) -> &str {
        match self {
            Self::LookL1(key) | Self::LookL2(key) | Self::EventsOf(key) | Self::GroupOf(key) => {
                &key.cache
            }
            Self::Refresh(key) | Self::DropFromL1(key) => &key.cache,
            Self::ListL1(query) | Self::MatchL1(query) => &query.cache,
            Self::AmongL1(keys) => &keys.cache,
            Self::SurveyL1(name) | Self::Details(name) => &name.cache,
            Self::ShowValue(value) => &value.cache,
            Self::DeadLetters(request) => &request.cache,
            Self::MoveDeadLetters(step) => &step.cache,
            Self::Other => "",
        }
    }
}
