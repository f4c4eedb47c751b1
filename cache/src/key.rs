use std::fmt::Display;
use std::hash::Hash;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The name of an entry. Its `Display` is the key's text in L2, on the bus and on screens. Parsing
/// that text must return the same key: `key.to_string().parse() == Ok(key)`.
///
/// Implemented for every type that has these traits, so `u64` and `String` are keys. The text of a
/// key with several parts is also what patterns match:
///
/// ```
/// use std::fmt;
/// use std::num::ParseIntError;
/// use std::str::FromStr;
///
/// #[derive(Clone, Debug, PartialEq, Eq, Hash)]
/// struct Page {
///     author: u64,
///     number: u32,
/// }
///
/// impl fmt::Display for Page {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         write!(f, "author:{}:page:{}", self.author, self.number)
///     }
/// }
///
/// impl FromStr for Page {
///     type Err = ParseIntError;
///
///     fn from_str(text: &str) -> Result<Self, Self::Err> {
///         let (author, number) = text.split_once(":page:").unwrap_or_default();
///         let author = author.strip_prefix("author:").unwrap_or_default();
///         Ok(Self { author: author.parse()?, number: number.parse()? })
///     }
/// }
///
/// fn is_a_key<K: strata_cache::Key>(_: &K) {}
///
/// let page = Page { author: 7, number: 2 };
/// is_a_key(&page);
/// assert_eq!(page.to_string().parse(), Ok(page));
/// ```
pub trait Key: Clone + Eq + Hash + Display + FromStr + Send + Sync + 'static {}

impl<T: Clone + Eq + Hash + Display + FromStr + Send + Sync + 'static> Key for T {}

/// The value of an entry. L2 stores it as JSON, or in another [`Codec`](crate::Codec).
pub trait Value: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Value for T {}
