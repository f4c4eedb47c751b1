//! Keys: searched, inspected, compared, without disturbing a cache. Public face: the methods of
//! [`Console`](crate::Console) here, [`SearchResults`], [`KeyOrder`], [`SourceReader`]; inside the
//! crate [`QueryQueues`], in which what costs much waits for its turn.

mod copies;
mod cursor;
mod details;
mod fair_limit;
mod inspect;
mod order;
mod query_queues;
mod results;
mod search;
mod source;

pub(crate) use details::SurveyCache;
pub(crate) use inspect::visible_value;
pub use order::{KeyColumn, KeyOrder};
pub(crate) use query_queues::QueryQueues;
pub(crate) use results::RecentSearches;
pub use results::SearchResults;
pub use source::SourceReader;
