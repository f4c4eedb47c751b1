use serde::{Deserialize, Serialize};

/// The keys that were read, or missed, most often in recent minutes: an estimate from a bounded
/// sketch of sampled reads, in which older reads count less and less.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct HotKeys {
    /// One read in so many was looked at, chosen at random.
    pub sampled_one_in: u32,
    /// After this time a read counts half, milliseconds.
    pub half_life_ms: u64,
    /// Sampled reads behind these figures, those of the past counting less.
    pub sampled: u64,
    /// Reads a second of all keys, as estimated by the same sample.
    pub per_second: f64,
    /// The hottest keys first; the list is cut at [`HotKeys::MAX_KEYS`].
    pub keys: Vec<HotKey>,
}

/// One key of [`HotKeys`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct HotKey {
    /// The key's text, cut to [`HotKey::MAX_BYTES`].
    pub key: String,
    /// Whether it was cut.
    pub is_cut: bool,
    /// Reads a second, estimated.
    pub per_second: f64,
}

impl HotKey {
    /// The longest text of a key, bytes.
    pub const MAX_BYTES: usize = 200;
}

impl HotKeys {
    /// The most keys that are listed.
    pub const MAX_KEYS: usize = 20;

    /// A listed key's share of all reads of its kind, between 0 and 1; `None` where nothing was
    /// sampled.
    pub fn share(&self, key: &HotKey) -> Option<f64> {
        (self.per_second > 0.0).then(|| (key.per_second / self.per_second).clamp(0.0, 1.0))
    }

    /// Adds another node's keys of the same cache. A key that one node does not list counts there
    /// as not read, so sums are lower bounds.
    pub fn merge(&mut self, other: &Self) {
        self.sampled_one_in = self.sampled_one_in.max(other.sampled_one_in);
        self.half_life_ms = self.half_life_ms.max(other.half_life_ms);
        self.sampled += other.sampled;
        self.per_second += other.per_second;
        for theirs in &other.keys {
            match self.keys.iter_mut().find(|mine| mine.key == theirs.key) {
                Some(mine) => mine.per_second += theirs.per_second,
                None => self.keys.push(theirs.clone()),
            }
        }
        self.keys.sort_by(|a, b| b.per_second.total_cmp(&a.per_second));
        self.keys.truncate(Self::MAX_KEYS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(keys: &[(&str, f64)]) -> HotKeys {
        let key = |(key, per_second): &(&str, f64)| HotKey {
            key: (*key).to_owned(),
            is_cut: false,
            per_second: *per_second,
        };
        HotKeys { per_second: 10.0, keys: keys.iter().map(key).collect(), ..HotKeys::default() }
    }

    #[test]
    fn keys_of_two_nodes_are_added_and_the_hottest_comes_first() {
        let mut here = keys(&[("a", 3.0), ("b", 2.0)]);
        here.merge(&keys(&[("b", 2.5), ("c", 1.0)]));
        let names: Vec<&str> = here.keys.iter().map(|key| key.key.as_str()).collect();
        assert_eq!(names, ["b", "a", "c"]);
        assert_eq!(here.share(&here.keys[0]), Some(0.225));
        assert_eq!(HotKeys::default().share(&here.keys[0]), None);
    }
}
