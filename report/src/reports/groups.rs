use serde::{Deserialize, Serialize};

use crate::{Evictions, Histogram, Outcomes, Saved};

/// A cache's reads by key group. Every keyed read is in exactly one group, and the groups' outcomes
/// add up to the cache's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct Groups {
    /// Each group that was read at least once. Without groups there is one, named `all`; with
    /// them, what fits none is `other`, as is a read that went around the cache.
    pub groups: Vec<GroupReport>,
    /// Times that a key was put into `other` because there was no room for one more group.
    pub overflow: u64,
}

/// One key group of a cache.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(not(target_arch = "wasm32"), serde(default))]
pub struct GroupReport {
    /// Its name: the template, or what the cache's own function says.
    pub group: String,
    /// How its reads ended.
    pub outcomes: Outcomes,
    /// Its entries in L1, refused ones included until L1's next upkeep.
    pub l1_entries: u64,
    /// Their weight in bytes, where entries are weighed.
    pub l1_weight_bytes: Option<u64>,
    /// What left L1.
    pub evictions: Evictions,
    /// Loads that answered. A load of many keys counts once in each group that it was asked for.
    pub loads: Histogram,
}

impl GroupReport {
    /// The time of the source that the group's hits saved; `None` before its first load.
    pub fn saved(&self) -> Option<Saved> {
        Saved::of(&self.outcomes, &self.loads)
    }
}

impl Groups {
    /// Adds another node's groups of the same cache, by name.
    pub fn merge(&mut self, other: &Self) {
        self.overflow += other.overflow;
        for theirs in &other.groups {
            match self.groups.iter_mut().find(|mine| mine.group == theirs.group) {
                Some(mine) => mine.merge(theirs),
                None => self.groups.push(theirs.clone()),
            }
        }
    }
}

impl GroupReport {
    fn merge(&mut self, other: &Self) {
        self.outcomes += other.outcomes;
        self.l1_entries += other.l1_entries;
        let theirs = other.l1_weight_bytes;
        self.l1_weight_bytes =
            self.l1_weight_bytes.map(|mine| mine + theirs.unwrap_or(0)).or(theirs);
        self.evictions += other.evictions;
        self.loads.merge(&other.loads);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, l1_hit: u64) -> GroupReport {
        let outcomes = Outcomes { l1_hit, ..Outcomes::default() };
        GroupReport { group: name.to_owned(), outcomes, ..GroupReport::default() }
    }

    #[test]
    fn groups_of_two_nodes_are_added_by_name() {
        let mut here = Groups { groups: vec![group("a", 1), group("b", 2)], overflow: 1 };
        here.merge(&Groups { groups: vec![group("c", 4), group("b", 3)], overflow: 2 });
        assert_eq!(here.groups, [group("a", 1), group("b", 5), group("c", 4)]);
        assert_eq!(here.overflow, 3);
    }
}
