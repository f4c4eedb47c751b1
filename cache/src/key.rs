use std::fmt::Display;
use std::hash::Hash;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// What names one entry. Its `Display` is the key's text in L2, on the bus and on screens, and
/// parsing that text must give the same key back: `key.to_string().parse() == Ok(key)`.
///
/// Implemented for every type that has the parts, so `u64` and `String` are keys.
pub trait Key: Clone + Eq + Hash + Display + FromStr + Send + Sync + 'static {}

impl<T: Clone + Eq + Hash + Display + FromStr + Send + Sync + 'static> Key for T {}

/// What an entry holds. L2 keeps it as JSON.
pub trait Value: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> Value for T {}
